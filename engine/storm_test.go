package engine

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudlysis/aggregate"
)

var (
	stormSeed = flag.Uint64("storm.seed", 0, "the one storm to run; 0: many")
	storms    = flag.Int("storms", 20, "how many storms to run")
)

// stormLog is a log on which everything happens that may: failures, doubts, other writers, slow
// answers, answers within Begin, a disk that answers late or never.
type stormLog struct {
	*fakeLog
	t testing.TB

	mu      sync.Mutex
	rand    *rand.Rand
	durable map[aggregate.Key]aggregate.Version
	calm    atomic.Bool
}

// dice is a number below n.
func (l *stormLog) dice(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rand.IntN(n)
}

// odds is true once in n times, as long as the storm lasts.
func (l *stormLog) odds(n int) bool { return !l.calm.Load() && l.dice(n) == 0 }

// dawdle takes up to some microseconds, most often none.
func (l *stormLog) dawdle() {
	if l.odds(2) {
		time.Sleep(time.Duration(l.dice(3000)) * time.Microsecond)
	}
}

// land notes what is durable.
func (l *stormLog) land(key aggregate.Key, v aggregate.Version) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.durable[key] = max(l.durable[key], v)
}

func (l *stormLog) landed(key aggregate.Key) aggregate.Version {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.durable[key]
}

// disturb stands before an append.
func (l *stormLog) disturb(_ int, key aggregate.Key, commits []aggregate.Commit) (bool, error) {
	l.dawdle()
	switch {
	case l.odds(10):
		return l.dice(2) == 0, fmt.Errorf("storm: %w", aggregate.ErrInDoubt)
	case l.odds(20):
		return false, fmt.Errorf("storm: %w", aggregate.ErrStream)
	case l.odds(20) && len(commits) > 1:
		return false, fmt.Errorf("storm: %w", aggregate.ErrTooLarge)
	case !l.unshared && l.odds(10):
		l.other(key)
	}
	return true, nil
}

// other is a commit of another node.
func (l *stormLog) other(key aggregate.Key) {
	l.fakeLog.mu.Lock()
	at := l.end(key)
	l.fakeLog.mu.Unlock()
	c := aggregate.Commit{CommandID: aggregate.NewID(), CommandHash: "other", Timestamp: time.Now().UTC(), Manifest: "m", Engine: "e", Events: []aggregate.CommitEvent{
		{EventID: aggregate.NewID(), Version: at.Version + 1, Type: "deposited", Schema: 1, Payload: []byte(`{"amount":1,"note":""}`)}}}
	if _, err := l.store(key, at, []aggregate.Commit{c}); err != nil && !errors.Is(err, aggregate.ErrConflict) {
		l.t.Error(err)
	}
}

func (l *stormLog) Append(ctx context.Context, key aggregate.Key, at aggregate.Mark, commits []aggregate.Commit) (aggregate.Mark, error) {
	m, err := l.fakeLog.Append(ctx, key, at, commits)
	if err == nil {
		l.dawdle()
		l.land(key, m.Version)
	}
	return m, err
}

func (l *stormLog) Begin(ctx context.Context, key aggregate.Key, at aggregate.Mark, commits []aggregate.Commit, done func(aggregate.Mark, time.Duration, error)) {
	if l.odds(20) { // still reading when others act
		l.dawdle()
	}
	commits = cloneCommits(commits)
	for i := range commits {
		if commits[i].CommandID.IsZero() || len(commits[i].Events) == 0 && len(commits[i].Command) == 0 {
			l.t.Error("a flight was cleared while the log read it")
		}
	}
	within := l.odds(4)
	deliver := func() {
		m, err := l.fakeLog.Append(ctx, key, at, commits)
		var disk time.Duration
		if err == nil && l.odds(3) {
			disk = time.Duration(l.dice(3000)) * time.Microsecond
			if !within && l.odds(50) {
				disk = time.Minute // the end of ctx does not end it
			}
			time.Sleep(disk)
		}
		if err == nil {
			l.land(key, m.Version)
		}
		done(m, disk, err)
	}
	if within {
		deliver()
		return
	}
	go deliver()
	if l.odds(8) {
		l.dawdle() // done before Begin returns
	}
}

func (l *stormLog) Load(ctx context.Context, key aggregate.Key, after aggregate.Mark) iter.Seq2[aggregate.Loaded, error] {
	l.dawdle()
	return func(yield func(aggregate.Loaded, error) bool) {
		if l.odds(20) {
			yield(aggregate.Loaded{}, fmt.Errorf("storm: %w", aggregate.ErrStream))
			return
		}
		for c, err := range l.fakeLog.Load(ctx, key, after) {
			if err == nil { // what is yielded is durable
				l.land(key, c.Mark.Version)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// storm is one engine under callers of every kind.
type storm struct {
	t    *testing.T
	seed uint64
	w    *world
	log  *stormLog
	e    *Engine
	keys []aggregate.Key
	sets []*Manifest // that are swapped in

	mu       sync.Mutex
	tries    map[aggregate.ID]*attempt
	started  atomic.Int64    // with Start
	told     atomic.Int64    // of these
	doubts   atomic.Int64    // that the observer heard of and that have not ended
	answered [4]atomic.Int64 // accepted, refused, unavailable, left
}

// attempt is what callers were told of one command.
type attempt struct {
	cmd      *aggregate.Command
	accepted bool
	version  aggregate.Version // as the replies said
	open     bool              // somebody was told that the outcome is unknown, or was never told
	waiting  int
	told     []string // the errors
}

// Command implements Observer.
func (s *storm) Command(cmd *aggregate.Command, _ *aggregate.Reply, _ error, _ int64, took time.Duration, stages aggregate.Stages) {
	var sum time.Duration
	for i, d := range stages {
		if d < 0 {
			s.t.Errorf("seed %d: stage %s of command %s took %v", s.seed, aggregate.Stage(i), cmd.CommandID, d)
		}
		sum += d
	}
	if sum > took {
		s.t.Errorf("seed %d: command %s took %v, its stages %v", s.seed, cmd.CommandID, took, stages)
	}
}

// Doubt implements Observer.
func (s *storm) Doubt(_ aggregate.Key, began bool) {
	if began {
		s.doubts.Add(1)
		return
	}
	s.doubts.Add(-1)
}

func (*storm) Live(int)                                              {}
func (*storm) Flight(aggregate.Key, int, int, time.Duration)         {}
func (*storm) Conflict(aggregate.Key, int)                           {}
func (*storm) Loaded(aggregate.Key, int, bool, error, time.Duration) {}
func (*storm) Snapshot(aggregate.Key, string)                        {}
func pick[T any](r *rand.Rand, of ...T) T                            { return of[r.IntN(len(of))] }
func (s *storm) key(r *rand.Rand) aggregate.Key                      { return pick(r, s.keys...) }
func (s *storm) fail(format string, args ...any) {
	s.t.Errorf("seed %d: "+format, append([]any{s.seed}, args...)...)
}

func newStorm(t *testing.T, seed uint64, sets []*Manifest) *storm {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &storm{t: t, seed: seed, sets: sets, w: newWorldOf(t, sets[0]), tries: map[aggregate.ID]*attempt{}}
	s.log = &stormLog{fakeLog: s.w.log, t: t, rand: rand.New(rand.NewPCG(seed, 2)), durable: map[aggregate.Key]aggregate.Version{}}
	s.log.append, s.log.unshared = s.log.disturb, r.IntN(2) == 0
	s.log.latest = func(aggregate.Key) error {
		if s.log.unshared {
			return nil
		}
		if s.log.dawdle(); s.log.odds(20) {
			return fmt.Errorf("storm: %w", aggregate.ErrStream)
		}
		return nil
	}
	s.log.at = func(aggregate.Key, aggregate.Sequence) error {
		if s.log.dawdle(); s.log.odds(20) {
			return fmt.Errorf("storm: %w", aggregate.ErrStream)
		}
		return nil
	}
	s.w.store.get = func(aggregate.Key) error {
		if s.log.dawdle(); s.log.odds(10) {
			return fmt.Errorf("storm: %w", aggregate.ErrStorage)
		}
		return nil
	}
	s.w.store.put = func(snap *aggregate.Snapshot) error {
		if have := s.log.landed(snap.Key()); snap.Version > have {
			s.fail("a snapshot at version %d, and %d is durable", snap.Version, have)
		}
		if s.log.dawdle(); s.log.odds(10) {
			return fmt.Errorf("storm: %w", aggregate.ErrStorage)
		}
		return nil
	}
	o := &s.w.opts
	o.Log, o.Observer = s.log, s
	var ticks atomic.Int64 // decisions take time, which stands still in a bubble
	began := time.Now()
	o.Monotonic = func() time.Duration { return time.Since(began) + time.Duration(ticks.Add(1))*time.Microsecond }
	o.MailboxSize, o.MaxLive, o.IdleAfter = pick(r, 2, 8, 4096), pick(r, 4, 100), pick(r, 4*time.Millisecond, time.Minute)
	o.SnapshotThreshold, o.SnapshotQueue, o.MaxFlightCommits = pick(r, 1, 3, 100), pick(r, 1, 2, 100), pick(r, 1, 3, 512)
	o.MaxRetries, o.DoubtWait, o.MaxLoads = pick(r, 1, 5), pick(r, time.Millisecond, time.Second), pick(r, 1, 100)
	o.RememberNothing = r.IntN(2) == 0
	if r.IntN(2) == 0 {
		q := Quota{InFlight: pick(r, 0, 5), Active: pick(r, 0, 3), Rate: pick(r, 0.0, 5000)}
		o.Quota = func(aggregate.TenantID) Quota { return q }
	}
	for i := range uint64(6) {
		s.keys = append(s.keys, keyOf(pick[aggregate.TenantID](r, "", "tenant-a"), i+1))
	}
	s.e = s.w.start()
	return s
}

// try is a command to send, a new one or one that was sent before.
func (s *storm) try(r *rand.Rand) *attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.IntN(5) == 0 {
		for _, a := range s.tries { // any
			a.waiting++
			return a
		}
	}
	cmd := command(s.key(r), pick(r, "deposit", "deposit", "twice", "withdraw", "touch", "break"), r.IntN(50))
	a := &attempt{cmd: cmd, waiting: 1}
	s.tries[cmd.CommandID] = a
	return a
}

// settle notes what a caller was told.
func (s *storm) settle(a *attempt, reply *aggregate.Reply, err error) {
	var (
		rejected *aggregate.RejectedError
		fault    *aggregate.FaultError
		stale    *aggregate.VersionConflictError
		away     *aggregate.UnavailableError
	)
	s.mu.Lock()
	defer s.mu.Unlock()
	a.waiting--
	if err != nil {
		a.told = append(a.told, err.Error())
	}
	switch {
	case err == nil:
		s.answered[0].Add(1)
		if have := s.log.landed(a.cmd.Key()); reply.Version > have {
			s.fail("a reply at version %d, and %d is durable", reply.Version, have)
		}
		if len(reply.Events) == 0 && !s.w.opts.RememberNothing {
			return
		}
		if a.accepted && a.version != reply.Version {
			s.fail("command %s was accepted at version %d and %d", a.cmd.CommandID, a.version, reply.Version)
		}
		a.accepted, a.version = true, reply.Version
	case errors.Is(err, aggregate.ErrInDoubt):
		s.answered[3].Add(1)
		a.open = true
	case errors.As(err, &rejected), errors.As(err, &fault), errors.As(err, &stale):
		s.answered[1].Add(1)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &away):
		s.answered[2].Add(1)
	default:
		s.fail("command %s: %v", a.cmd.CommandID, err)
	}
}

func patience(r *rand.Rand) (context.Context, context.CancelFunc) {
	if r.IntN(2) == 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), time.Duration(r.IntN(5000))*time.Microsecond)
}

// start hands a command over; now and then its answer brings the next one.
func (s *storm) start(r *rand.Rand, more int) {
	a := s.try(r)
	var once atomic.Int64
	s.started.Add(1)
	s.e.Start(context.Background(), a.cmd, func(reply *aggregate.Reply, err error) {
		if once.Add(1) > 1 {
			s.fail("command %s was told twice", a.cmd.CommandID)
		}
		s.settle(a, reply, err)
		s.told.Add(1)
		if more > 0 {
			s.start(rand.New(rand.NewPCG(s.seed, uint64(more))), more-1)
		}
	})
}

// act does one thing.
func (s *storm) act(r *rand.Rand) {
	ctx, cancel := patience(r)
	defer cancel()
	switch r.IntN(20) {
	case 0:
		leaveAll(s.e)
	case 1:
		s.e.Swap(pick(r, s.sets...))
	case 2:
		tenant := s.key(r).Tenant
		_ = s.e.Drain(ctx, tenant)
		time.Sleep(time.Duration(r.IntN(500)) * time.Microsecond)
		s.e.Resume(tenant)
	case 3:
		_ = s.e.FlushSnapshots(ctx)
	case 4, 5, 6:
		key := s.key(r)
		if st, err := s.e.State(ctx, key); err == nil && st.Version > s.log.landed(key) {
			s.fail("a state at version %d, and %d is durable", st.Version, s.log.landed(key))
		}
	case 7, 8, 9, 10:
		s.start(r, r.IntN(4))
	case 11: // the connection was lost for a moment: nothing is missing, and all is read anew
		s.log.fakeLog.mu.Lock()
		s.log.inc++
		s.log.fakeLog.mu.Unlock()
	case 12:
		time.Sleep(time.Duration(r.IntN(8)) * time.Millisecond)
	default:
		a := s.try(r)
		reply, err := s.e.Submit(ctx, a.cmd)
		s.settle(a, reply, err)
	}
}

func (s *storm) blow() {
	r := rand.New(rand.NewPCG(s.seed, 3))
	var callers sync.WaitGroup
	for c := range 12 {
		callers.Go(func() {
			r := rand.New(rand.NewPCG(s.seed, uint64(100+c)))
			for range 60 {
				s.act(r)
			}
		})
	}
	early := r.IntN(3) == 0
	if !early {
		callers.Wait()
	}
	if r.IntN(2) == 0 {
		s.log.calm.Store(true)
	}
	ctx, cancel := context.WithTimeout(context.Background(), pick(r, 0, time.Millisecond, time.Hour))
	defer cancel()
	began := time.Now()
	err := s.e.Close(ctx)
	if patient, took := ctx.Err() == nil, time.Since(began); patient && err != nil || !patient && took > 2*time.Second {
		s.fail("close after %v: %v", took, err)
	}
	callers.Wait()
	time.Sleep(2 * time.Minute) // what was given up is answered late
	synctest.Wait()
	s.check()
}

// check compares what callers were told with the log, and looks for what is left behind.
func (s *storm) check() {
	if s.told.Load() != s.started.Load() {
		s.fail("%d commands were started, %d were told of", s.started.Load(), s.told.Load())
	}
	if s.e.Live() != 0 || s.doubts.Load() != 0 {
		s.fail("%d are live, %d in doubt", s.e.Live(), s.doubts.Load())
	}
	for _, x := range s.e.tenants.all {
		if x.live != 0 || x.inFlight.Load() != 0 {
			s.fail("tenant %q has %d live and %d in flight", x.id, x.live, x.inFlight.Load())
		}
	}
	for _, key := range s.keys {
		wantGapless(s.t, s.log.fakeLog, key)
		if id, n := s.log.twice(key); n > 1 {
			s.fail("command %s has %d commits", id, n)
		}
	}
	there := map[aggregate.ID]aggregate.Version{}
	for _, msgs := range s.log.msgs {
		for _, m := range msgs {
			for i := range m.commits {
				there[m.commits[i].CommandID] = versionAfter(m.commits, i, m.mark.Version)
			}
		}
	}
	for id, a := range s.tries {
		v, ok := there[id]
		switch {
		case a.waiting != 0:
			s.fail("%d callers of command %s have no answer", a.waiting, id)
		case a.accepted && (!ok || v != a.version):
			s.fail("command %s was accepted at version %d; the log has it: %v, at version %d", id, a.version, ok, v)
		case ok && !a.accepted && !a.open:
			s.fail("command %s is in the log at version %d, and callers were told %q", id, v, a.told)
		}
	}
}

// TestStorm: whatever happens to the log and the store and whoever calls, leaves, drains, swaps or
// closes, everybody is answered once and truly, and nothing stays behind.
func TestStorm(t *testing.T) {
	sets := []*Manifest{bank(t), strictBank(t), generousBank(t)}
	one := func(seed uint64) {
		synctest.Test(t, func(t *testing.T) {
			s := newStorm(t, seed, sets)
			s.blow()
			if testing.Verbose() {
				t.Logf("seed %d: %d accepted, %d refused, %d unavailable, %d in doubt; %d messages", seed, s.answered[0].Load(), s.answered[1].Load(), s.answered[2].Load(), s.answered[3].Load(), s.log.seq)
			}
		})
	}
	if *stormSeed != 0 {
		one(*stormSeed)
		return
	}
	first, err := strconv.ParseUint(os.Getenv("RAPID_SEED"), 10, 64) // make test: the same storms in every run, as far as scheduling lets them
	if err != nil {
		first = uint64(time.Now().UnixNano())
	}
	for i := range *storms {
		if one(first + uint64(i)); t.Failed() {
			t.Fatalf("go test ./engine -run TestStorm -storm.seed=%d", first+uint64(i))
		}
	}
}
