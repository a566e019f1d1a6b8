package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	accountCount = 8
	epochRounds  = 10 // rounds on the same data; then all begins anew, so that a look stays short
	repeatCount  = 16 // acknowledged commands of the epoch that are sent again after a crash
	maxFindings  = 30
)

// Tally is what a trial has counted.
type Tally struct {
	Rounds, Crashes int
	Acked           int // commands acknowledged as accepted
	Events          int // that they made
	Refused, Reads  int
	Unknown         int // attempts without an outcome
	InDoubt         int // commands of unknown outcome at a first look
	Repeats         int // acknowledged commands sent again after a crash
	Overtaken       int // attempts given up and decided after a later one was refused

	Lost    int // acknowledged, absent
	Double  int // stored or decided twice
	Half    int // stored in part
	Phantom int // stored, never sent
	Gaps    int // versions out of order
	Broken  int // starts that failed, logs that could not be read; of a lossy trial

	Linear, Unlinear, Undecided int // porcupine's verdicts, one for each account and round

	Findings []string
	Took     time.Duration
}

// String is the tally in some lines.
func (t *Tally) String() string {
	return fmt.Sprintf("%d rounds, %d crashes in %s: %d acknowledged commits with %d events, %d refusals, %d reads, %d attempts of unknown outcome, %d commands in doubt after a crash, %d repeats, %d attempts overtaken\n"+
		"lost acknowledged commits %d, double applications %d, half-visible commits %d, phantom commits %d, gaps %d, broken starts %d\n"+
		"linearizable %d, not %d, undecided %d; other findings in all %d",
		t.Rounds, t.Crashes, t.Took.Round(time.Second), t.Acked, t.Events, t.Refused, t.Reads, t.Unknown, t.InDoubt, t.Repeats, t.Overtaken,
		t.Lost, t.Double, t.Half, t.Phantom, t.Gaps, t.Broken, t.Linear, t.Unlinear, t.Undecided, len(t.Findings))
}

// Trial is a number of rounds on one site. Its fields are set before [Trial.Run].
type Trial struct {
	Site Site
	Seed uint64
	// Want is how many crashes there are to be, those during a start included.
	Want int
	// Load is about how many answers the callers have had when a round's crash comes.
	Load int
	// Lossy is set where losses are expected: each round has data of its own, losses are counted and are no findings,
	// and answers that come after the crash do not count as acknowledged.
	Lossy bool
	// Out takes a line now and then; nil for none.
	Out io.Writer

	Tally

	mu       sync.Mutex // for Findings
	accounts []*account
	doors    atomic.Pointer[doors]
	start    time.Time
}

// find notes what must not be. Of a lossy trial the counts are enough.
func (t *Trial) find(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Lossy {
		return
	}
	if len(t.Findings) < maxFindings {
		t.Findings = append(t.Findings, fmt.Sprintf("seed %d, round %d: ", t.Seed, t.Rounds)+fmt.Sprintf(format, args...))
	}
}

// Run goes through rounds until there were enough crashes or something was found. The error is what kept it from
// going on; what was found by then stands in the tally.
func (t *Trial) Run(ctx context.Context) (err error) {
	t.start = time.Now()
	defer func() {
		err = errors.Join(err, t.Site.Close())
		t.Took = time.Since(t.start)
	}()
	for t.Crashes < t.Want && len(t.Findings) == 0 {
		if err := t.round(ctx); err != nil {
			return fmt.Errorf("seed %d, round %d: %w", t.Seed, t.Rounds, err)
		}
		t.Rounds++
		if t.Out != nil && t.Rounds%25 == 0 {
			fmt.Fprintf(t.Out, "%s seed %d: %s\n", time.Now().Format(time.TimeOnly), t.Seed, t.line())
		}
	}
	return nil
}

func (t *Trial) line() string {
	return fmt.Sprintf("%d crashes, %d acknowledged, lost %d, double %d", t.Crashes, t.Acked, t.Lost, t.Double)
}

// round is load, crash, start, look, settle, look.
func (t *Trial) round(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := rand.New(rand.NewPCG(t.Seed, uint64(t.Rounds)<<16|0xffff))
	if err := t.begin(ctx, r); err != nil {
		return err
	}
	l := &load{accounts: t.accounts, doors: &t.doors, start: t.start, deaf: t.Lossy, fail: t.find}
	l.run(ctx, t.Seed, uint64(t.Rounds))
	defer func() { cancel(); l.wg.Wait() }()
	if err := l.heard(1 + r.Int64N(2*int64(t.Load))); err != nil {
		return err
	}
	if err := t.crash(l, r); err != nil {
		return err
	}
	at, err := t.up(ctx)
	if t.Lossy {
		return t.lossy(ctx, l, at, err)
	}
	if err != nil {
		return err
	}
	if err := l.quiet(ctx); err != nil {
		return err
	}
	if err := t.look(ctx, at); err != nil {
		return fmt.Errorf("first look: %w", err)
	}
	t.InDoubt += t.doubts()
	close(l.gate)
	l.wg.Wait()
	return t.settled(ctx, r, l, at)
}

// begin makes sure that there is something to crash: fresh accounts every few rounds.
func (t *Trial) begin(ctx context.Context, r *rand.Rand) error {
	if t.Rounds%epochRounds != 0 && !t.Lossy {
		return nil
	}
	if err := t.Site.Fresh(); err != nil {
		return err
	}
	if _, err := t.up(ctx); err != nil {
		return err
	}
	t.accounts = newAccounts(r, accountCount)
	l := &load{accounts: t.accounts, doors: &t.doors, start: t.start, fail: t.find}
	for _, a := range t.accounts {
		if a.typ == "Account" {
			l.do(ctx, opening(r, a), settleTime)
			a.base, a.round = point{1, 500}, nil
			t.Acked++
			t.Events++
		}
	}
	return nil
}

func (t *Trial) up(ctx context.Context) (Reach, error) {
	at, err := t.Site.Up(ctx)
	if err != nil {
		return at, err
	}
	if old := t.doors.Swap(openDoors(at.URLs)); old != nil {
		old.close()
	}
	return at, nil
}

// crash takes the site down under full load: the callers go on until it is over, each to one command more that it may
// not get an answer to. After one in four of the crashes the next start is crashed, too.
func (t *Trial) crash(l *load, r *rand.Rand) error {
	l.crashed.Store(true)
	for {
		t.Crashes++
		err := t.Site.Crash(r)
		l.stopped.Store(true)
		if err != nil {
			return err
		}
		if t.Lossy || r.IntN(4) > 0 || t.Crashes >= t.Want {
			return nil
		}
		if err := t.Site.Start(); err != nil {
			return err
		}
		time.Sleep(time.Duration(r.IntN(80)) * time.Millisecond)
	}
}

// lossy counts what a crash lost where that was to be expected.
func (t *Trial) lossy(ctx context.Context, l *load, at Reach, err error) error {
	if errors.Is(err, ErrStart) {
		err = nil
		t.Broken++
	} else if err == nil {
		if err := l.quiet(ctx); err != nil {
			return err
		}
		if t.look(ctx, at) != nil {
			t.Broken++
		}
	}
	for _, a := range t.accounts {
		acked, _ := a.known()
		t.Acked += len(acked)
	}
	return err
}

func (t *Trial) doubts() (n int) {
	for _, a := range t.accounts {
		_, doubt := a.known()
		n += len(doubt)
	}
	return n
}

// settled checks the round when every outcome is known.
func (t *Trial) settled(ctx context.Context, r *rand.Rand, l *load, at Reach) error {
	t.Unknown += int(l.unknown.Load())
	t.Reads += int(l.reads.Load())
	t.Refused += int(l.refused.Load())
	if err := t.repeats(ctx, r); err != nil {
		return err
	}
	if err := t.look(ctx, at); err != nil {
		return fmt.Errorf("second look: %w", err)
	}
	if d := t.doubts(); d > 0 {
		t.find("%d commands are in doubt after the callers have settled", d)
	}
	for _, a := range t.accounts {
		t.judge(a)
	}
	return nil
}

// repeats sends some acknowledged commands again.
func (t *Trial) repeats(ctx context.Context, r *rand.Rand) error {
	for range repeatCount {
		a := t.accounts[r.IntN(len(t.accounts))]
		if len(a.acked) == 0 {
			continue
		}
		o := a.acked[r.IntN(len(a.acked))]
		t.Repeats++
		if err := repeat(ctx, t.doors.Load().next(r.IntN(2)), o); err != nil {
			t.Double++
			t.find("%s: sent again: %v", o, err)
		}
	}
	return nil
}

// judge asks porcupine about the round of one account and closes it.
func (t *Trial) judge(a *account) {
	switch linearizable(a.base, a.round) {
	case porcupine.Ok:
		t.Linear++
	case porcupine.Illegal:
		t.Unlinear++
		t.find("%s: %d answers of the round have no order that an account at %+v could have given", a, len(a.round), a.base)
	default:
		t.Undecided++
	}
	for _, o := range a.round {
		if o.out.accepted && o.kind != read {
			t.Acked++
			t.Events += o.parts
		}
	}
	a.base, a.round = a.now, nil
}
