package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudlysis/aggregate/internal/client"
)

// Callers is how many there are.
const Callers = 64

// settleTime bounds how long the outcome of a command may stay unknown while everything runs.
const settleTime = 90 * time.Second

// load is the callers of one round.
type load struct {
	accounts []*account
	doors    *atomic.Pointer[doors]
	start    time.Time // of the trial

	crashed atomic.Bool // who does not know its outcome waits for the gate
	stopped atomic.Bool // nobody begins anything new
	deaf    bool        // answers after the crash do not count
	gate    chan struct{}

	parked, done atomic.Int64
	answers      atomic.Int64
	unknown      atomic.Int64 // attempts without an outcome
	reads        atomic.Int64
	refused      atomic.Int64
	fail         func(format string, args ...any)
	wg           sync.WaitGroup
}

// run starts the callers, each with a seed of its own.
func (l *load) run(ctx context.Context, seed, round uint64) {
	l.gate = make(chan struct{})
	for i := range Callers {
		r := rand.New(rand.NewPCG(seed, round<<16|uint64(i)))
		l.wg.Go(func() {
			defer l.done.Add(1)
			for !l.stopped.Load() && ctx.Err() == nil {
				l.do(ctx, newOp(r, i, l.accounts), hurry(r))
			}
		})
	}
}

// heard waits until the callers have had n answers: so a round is as full on a slow machine as on a fast one.
func (l *load) heard(n int64) error {
	for began := time.Now(); l.answers.Load() < n; time.Sleep(200 * time.Microsecond) {
		if time.Since(began) > settleTime {
			return fmt.Errorf("%d answers in %s, %d are wanted", l.answers.Load(), settleTime, n)
		}
	}
	return nil
}

// hurry is how long a caller waits before it asks again: one in sixteen cannot wait at all, so that commands meet
// their own repeats.
func hurry(r *rand.Rand) time.Duration {
	if r.IntN(16) == 0 {
		return time.Duration(100+r.IntN(4000)) * time.Microsecond
	}
	return settleTime
}

// do carries an op to its outcome.
func (l *load) do(ctx context.Context, o *op, wait time.Duration) {
	o.account.ask(o)
	o.call = int64(time.Since(l.start))
	for began := time.Now(); ; {
		known, err := l.attempt(ctx, o, wait)
		if err != nil {
			l.fail("%s: %v", o, err)
			return
		}
		if known {
			o.ret = int64(time.Since(l.start))
			o.account.answered(o)
			l.answers.Add(1)
			return
		}
		l.unknown.Add(1)
		if o.kind == read {
			o.account.drop(o)
			l.park(ctx)
			return
		}
		if l.park(ctx) {
			began = time.Now()
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > settleTime {
			l.fail("%s: no outcome after %s", o, settleTime)
			return
		}
		wait = settleTime
		time.Sleep(time.Millisecond)
	}
}

// park holds a caller after the crash until the gate opens, and tells whether it did.
func (l *load) park(ctx context.Context) bool {
	if !l.crashed.Load() {
		return false
	}
	select {
	case <-l.gate:
		return false
	default:
	}
	l.parked.Add(1)
	defer l.parked.Add(-1)
	select {
	case <-l.gate:
	case <-ctx.Done():
	}
	return true
}

// quiet waits until every caller is done or parked.
func (l *load) quiet(ctx context.Context) error {
	for began := time.Now(); l.parked.Load()+l.done.Load() < Callers; time.Sleep(time.Millisecond) {
		if ctx.Err() != nil || time.Since(began) > settleTime {
			return fmt.Errorf("%d callers still wait for an answer", Callers-l.parked.Load()-l.done.Load())
		}
	}
	return nil
}

// errAnswer: the door said what it must not say.
var errAnswer = errors.New("unexpected answer")

// attempt asks once. It tells whether the outcome is known now.
func (l *load) attempt(ctx context.Context, o *op, wait time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var body []byte
	var err error
	door := l.doors.Load().of(o)
	o.asked++
	if o.kind == read {
		body, err = door.State(ctx, string(o.account.typ), o.account.id.String())
	} else {
		body, err = door.Submit(ctx, o.command())
	}
	if l.deaf && l.crashed.Load() {
		return false, nil
	}
	switch {
	case err == nil:
		return true, l.accepted(o, body)
	case errors.Is(err, client.ErrRefused):
		return l.refusal(o, body)
	}
	o.gaveUp++
	return false, nil
}

func (o *op) command() client.Command {
	return client.Command{Type: string(o.account.typ), ID: o.account.id.String(), Payload: o.payload, CommandID: o.id.String()}
}

func (l *load) accepted(o *op, body []byte) error {
	out, err := outcomeOf(o, body)
	if err != nil {
		return err
	}
	if o.kind == read {
		l.reads.Add(1)
	}
	o.out = out
	return nil
}

// outcomeOf reads the answer to an accepted command or a read.
func outcomeOf(o *op, body []byte) (outcome, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return outcome{}, fmt.Errorf("%w: %w: %s", errAnswer, err, body)
	}
	out := outcome{accepted: true, version: a.Version}
	if o.kind == read {
		var err error
		out.balance, err = whole(a.State.Balance.String())
		return out, err
	}
	if len(a.Events) != o.parts || o.parts > 0 && a.Events[o.parts-1].Version != a.Version {
		return out, fmt.Errorf("%w: %d events up to version %d are wanted: %s", errAnswer, o.parts, a.Version, body)
	}
	for _, e := range a.Events {
		out.events = append(out.events, e.ID)
	}
	return out, nil
}

// refusal reads a problem: a refusal is an outcome, some say that there is none, all others are wrong.
func (l *load) refusal(o *op, body []byte) (known bool, err error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return false, fmt.Errorf("%w: %w: %s", errAnswer, err, body)
	}
	switch a.Code {
	case "insufficient_funds":
		l.refused.Add(1)
		o.out.balance, err = balanceIn(a.Detail)
		return true, err
	case "not_found":
		if o.kind == read && o.account.typ == "Purse" { // unborn: nothing was put in yet
			l.reads.Add(1)
			o.out = outcome{accepted: true}
			return true, nil
		}
	}
	if transient[a.Code] {
		return false, nil
	}
	return false, fmt.Errorf("%w: %s", errAnswer, body)
}

// transient are the codes that say: ask again.
var transient = map[string]bool{"outcome_unknown": true, "stream_error": true, "storage_error": true, "unavailable": true,
	"deadline_exceeded": true, "canceled": true, "version_conflict": true}

// insist asks until the answer is not one that says: ask again.
func insist(ask func() ([]byte, error)) ([]byte, error) {
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		body, err := ask()
		var a answer
		if !errors.Is(err, client.ErrRefused) || json.Unmarshal(body, &a) != nil || !transient[a.Code] || time.Since(began) > settleTime {
			return body, err
		}
	}
}

// doors are the ways into a site, one for each node.
type doors struct {
	clients []*client.Client
	asked   atomic.Uint64
}

// openDoors makes clients with connections of their own.
func openDoors(urls []string) *doors {
	d := &doors{}
	for _, url := range urls {
		c := client.New(url, tenant)
		c.HTTP = &http.Client{Timeout: settleTime, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * Callers}}
		d.clients = append(d.clients, c)
	}
	return d
}

// next gives each caller now this node, now that.
func (d *doors) next(caller int) *client.Client {
	return d.clients[(d.asked.Add(1)+uint64(caller))%uint64(len(d.clients))]
}

// of gives the node that o is to ask: at first any, then the same one as long as it lives. A node that was not waited for
// may decide the command later; if another one has refused it meanwhile, which nobody remembers, both answers count, and
// the refusal was not the outcome. A node that was killed can no longer do that: what it had sent was decided on a state
// that the other one has seen as well, or is refused by the log.
func (d *doors) of(o *op) *client.Client {
	for _, c := range d.clients {
		if c.Server == o.at {
			return c
		}
	}
	c := d.next(o.caller)
	o.at = c.Server
	return c
}

func (d *doors) close() {
	for _, c := range d.clients {
		c.HTTP.CloseIdleConnections()
	}
}

// repeat sends an acknowledged command again; it must get its first answer.
func repeat(ctx context.Context, door *client.Client, o *op) error {
	body, err := insist(func() ([]byte, error) { return door.Submit(ctx, o.command()) })
	if err != nil {
		return fmt.Errorf("%w %s", err, body)
	}
	out, err := outcomeOf(o, body)
	if err != nil {
		return err
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	if !a.Duplicate || !same(out, o.out) {
		return fmt.Errorf("%w to a repeat of version %d: %s", errAnswer, o.out.version, body)
	}
	return nil
}

func same(a, b outcome) bool {
	if a.version != b.version || len(a.events) != len(b.events) {
		return false
	}
	for i, id := range a.events {
		if id != b.events[i] {
			return false
		}
	}
	return true
}
