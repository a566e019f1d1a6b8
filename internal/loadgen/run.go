package loadgen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/cloudlysis/aggregate"
)

// Target is one door of a daemon.
type Target interface {
	// Submit sends a command and waits for its reply. A refusal by the domain is an error that
	// matches ErrRefused; of any other error the outcome may be unknown.
	Submit(ctx context.Context, key aggregate.Key, command aggregate.ID, payload []byte) error
	// State reads the state, one JSON object.
	State(ctx context.Context, key aggregate.Key) ([]byte, error)
}

// ErrRefused: the daemon answered no.
var ErrRefused = errors.New("refused")

// Options say what load is put on.
type Options struct {
	Type       aggregate.Type
	Callers    int
	Aggregates int
	Tenants    int           // aggregates are spread over them
	Commands   int           // in all; 0: as many as Duration allows
	Duration   time.Duration // 0: as long as Commands take
	Create     []byte        // first command of each aggregate; empty: none
	Command    []byte        // the command that is measured
	// SumField is a number of the state, and SumStep what each accepted command adds to it.
	// Empty: no sum is checked.
	SumField string
	SumStep  string
	// Progress, when set, is called about ten times a second with the commands done.
	Progress func(done int)
}

// Result is what Run has measured. Times are in seconds.
type Result struct {
	Door       string             `json:"door"`
	Callers    int                `json:"callers"`
	Aggregates int                `json:"aggregates"`
	Seconds    float64            `json:"seconds"`
	Accepted   int                `json:"accepted"`
	Refused    int                `json:"refused"`
	Failed     int                `json:"failed"`
	PerSecond  float64            `json:"commands_per_second"`
	Latency    map[string]float64 `json:"latency_seconds"` // p50 p90 p99 p99.9 max
	Sum        string             `json:"sum,omitempty"`
	WantSum    string             `json:"want_sum,omitempty"`
	FirstError string             `json:"first_error,omitempty"`
}

// Exact tells whether the sum is what was acknowledged.
func (r *Result) Exact() bool { return r.Sum == r.WantSum }

// run is one run under way.
type run struct {
	o        Options
	t        Target
	keys     []aggregate.Key
	done     atomic.Int64
	accepted atomic.Int64
	refused  atomic.Int64
	failed   atomic.Int64
	first    sync.Once
	err      string
	unknown  sync.Map // command id -> key, where the outcome must be settled
}

// Validate tells what is wrong with o before anything is sent.
func (o *Options) Validate() error {
	if o.Callers < 1 || o.Aggregates < 1 || o.Tenants < 1 || o.Commands < 1 && o.Duration <= 0 {
		return errors.New("callers, aggregates and tenants must be positive, and commands or duration given")
	}
	if _, ok := new(big.Rat).SetString(o.SumStep); !ok && o.SumField != "" {
		return fmt.Errorf("step: %q is no number", o.SumStep)
	}
	return nil
}

// Run makes the aggregates, puts the load on and checks the sum.
func Run(ctx context.Context, t Target, o Options) (Result, error) {
	if err := o.Validate(); err != nil {
		return Result{}, err
	}
	r := &run{o: o, t: t}
	for i := range o.Aggregates {
		tenant := aggregate.TenantID("")
		if o.Tenants > 1 {
			tenant = aggregate.TenantID(fmt.Sprintf("bench-%d", i%o.Tenants))
		}
		r.keys = append(r.keys, aggregate.Key{Tenant: tenant, Type: o.Type, ID: aggregate.NewID()})
	}
	if err := r.create(ctx); err != nil {
		return Result{}, err
	}
	hist, took := r.load(ctx)
	out := r.result(hist, took)
	return out, r.check(ctx, &out)
}

// create sends the first command of every aggregate.
func (r *run) create(ctx context.Context) error {
	if len(r.o.Create) == 0 {
		return nil
	}
	var next atomic.Int64
	errs := make(chan error, r.o.Callers)
	var wg sync.WaitGroup
	for range r.o.Callers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(r.keys) {
					return
				}
				if err := r.t.Submit(ctx, r.keys[i], aggregate.NewID(), r.o.Create); err != nil {
					errs <- fmt.Errorf("make aggregate %s: %w", r.keys[i], err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// load is the measured part.
func (r *run) load(ctx context.Context) (*hdrhistogram.Histogram, time.Duration) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if r.o.Duration > 0 {
		ctx, cancel = context.WithTimeout(ctx, r.o.Duration)
		defer cancel()
	}
	stop := r.report(ctx)
	all := newHistogram()
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	begin := time.Now()
	for range r.o.Callers {
		wg.Go(func() {
			h := newHistogram()
			r.call(ctx, h)
			mu.Lock()
			all.Merge(h)
			mu.Unlock()
		})
	}
	wg.Wait()
	took := time.Since(begin)
	cancel()
	stop()
	return all, took
}

// newHistogram holds 1 µs to 10 min with three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, (10 * time.Minute).Microseconds(), 3)
}

// call sends commands until there are no more or ctx ends. A command under way is always waited
// for, so that the sum can be known.
func (r *run) call(ctx context.Context, h *hdrhistogram.Histogram) {
	for ctx.Err() == nil {
		if n := r.o.Commands; n > 0 && r.done.Add(1) > int64(n) {
			r.done.Add(-1)
			return
		} else if n == 0 {
			r.done.Add(1)
		}
		key, id := r.keys[rand.IntN(len(r.keys))], aggregate.NewID()
		begin := time.Now()
		err := r.t.Submit(context.WithoutCancel(ctx), key, id, r.o.Command)
		_ = h.RecordValue(max(time.Since(begin).Microseconds(), 1))
		r.count(key, id, err)
	}
}

func (r *run) count(key aggregate.Key, id aggregate.ID, err error) {
	switch {
	case err == nil:
		r.accepted.Add(1)
		return
	case errors.Is(err, ErrRefused):
		r.refused.Add(1)
	default:
		r.failed.Add(1)
		r.unknown.Store(id, key)
	}
	r.first.Do(func() { r.err = err.Error() })
}

// report calls Progress until it is stopped.
func (r *run) report(ctx context.Context) (stop func()) {
	if r.o.Progress == nil {
		return func() {}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				r.o.Progress(int(r.done.Load()))
				return
			case <-time.After(100 * time.Millisecond):
				r.o.Progress(int(r.done.Load()))
			}
		}
	})
	return wg.Wait
}

func (r *run) result(h *hdrhistogram.Histogram, took time.Duration) Result {
	out := Result{Callers: r.o.Callers, Aggregates: r.o.Aggregates, Seconds: took.Seconds(), FirstError: r.err,
		Accepted: int(r.accepted.Load()), Refused: int(r.refused.Load()), Failed: int(r.failed.Load()), Latency: map[string]float64{}}
	out.PerSecond = float64(out.Accepted) / took.Seconds()
	for name, q := range map[string]float64{"p50": 50, "p90": 90, "p99": 99, "p99.9": 99.9, "max": 100} {
		out.Latency[name] = float64(h.ValueAtQuantile(q)) / 1e6
	}
	return out
}

// check settles unknown outcomes by their command ids and sums the field.
func (r *run) check(ctx context.Context, out *Result) error {
	if r.o.SumField == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	var err error
	r.unknown.Range(func(id, key any) bool {
		var accepted bool
		if accepted, err = r.settle(ctx, key.(aggregate.Key), id.(aggregate.ID)); accepted {
			out.Accepted++
		}
		return err == nil
	})
	if err != nil {
		return fmt.Errorf("settle an unknown outcome: %w", err)
	}
	step, ok := new(big.Rat).SetString(r.o.SumStep)
	if !ok {
		return fmt.Errorf("%q is no number", r.o.SumStep)
	}
	sum := new(big.Rat)
	for _, key := range r.keys {
		n, err := r.field(ctx, key)
		if err != nil {
			return err
		}
		sum.Add(sum, n)
	}
	want := step.Mul(step, new(big.Rat).SetInt64(int64(out.Accepted)))
	out.Sum, out.WantSum = sum.RatString(), want.RatString()
	return nil
}

// The load may end while the daemon is away: that is waited out, a while.
const (
	settleFor   = 60 * time.Second
	settleAgain = 200 * time.Millisecond
)

// settle asks by the command's id until the daemon says yes or no.
func (r *run) settle(ctx context.Context, key aggregate.Key, id aggregate.ID) (accepted bool, err error) {
	for {
		err := r.t.Submit(ctx, key, id, r.o.Command)
		if err == nil || errors.Is(err, ErrRefused) {
			return err == nil, nil
		}
		select {
		case <-ctx.Done():
			return false, err
		case <-time.After(settleAgain):
		}
	}
}

// field reads the number of one aggregate, exactly.
func (r *run) field(ctx context.Context, key aggregate.Key) (*big.Rat, error) {
	b, err := r.t.State(ctx, key)
	if errors.Is(err, aggregate.ErrNotFound) {
		return new(big.Rat), nil // no command reached it
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	var state map[string]json.RawMessage
	if err := json.Unmarshal(b, &state); err != nil {
		return nil, fmt.Errorf("state of %s: %w", key, err)
	}
	n, ok := new(big.Rat).SetString(string(state[r.o.SumField]))
	if !ok {
		return nil, fmt.Errorf("state of %s: %s is %s, no number", key, r.o.SumField, state[r.o.SumField])
	}
	return n, nil
}
