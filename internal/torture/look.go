package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/client"
)

// look is one comparison of what is stored with what is known.
type look struct {
	t    *Trial
	ids  map[aggregate.ID]bool // of events, of all aggregates
	door *client.Client
}

// look compares the log and the door with what the callers were told.
func (t *Trial) look(ctx context.Context, at Reach) error {
	log, err := readLog(ctx, at.NATS)
	if err != nil {
		return err
	}
	l := &look{t: t, ids: make(map[aggregate.ID]bool), door: t.doors.Load().next(0)}
	for _, a := range t.accounts {
		commits := log[a.key()]
		delete(log, a.key())
		l.account(a, commits)
		if err := l.ask(ctx, a, commits); err != nil {
			return fmt.Errorf("%s: %w", a, err)
		}
	}
	for key, commits := range log {
		t.Phantom += len(commits)
		t.find("%s: %d commits of an aggregate that nobody wrote to", key, len(commits))
	}
	return nil
}

// account compares the commits of one account with what is known of it, and notes where it stands.
func (l *look) account(a *account, commits []aggregate.Commit) {
	acked, doubt := a.known()
	known := make(map[aggregate.ID]*op, len(acked)+len(doubt))
	for _, o := range acked {
		known[o.id] = o
	}
	for id, o := range doubt {
		known[id] = o
	}
	seen := make(map[aggregate.ID]bool, len(commits))
	var at point
	for i := range commits {
		c := &commits[i]
		o := known[c.CommandID]
		var late *op
		if o == nil {
			late = a.overtaken(c.CommandID)
			o = late
		}
		switch {
		case o == nil && a.no[c.CommandID] != nil:
			l.t.Phantom++
			o := a.no[c.CommandID]
			l.t.find("%s: stored after version %d, though it was refused at a balance of %d; asked %d times, %d without waiting", o, at.version, o.out.balance, o.asked, o.gaveUp)
		case o == nil:
			l.t.Phantom++
			l.t.find("%s: commit of command %s, which nobody sent", a, c.CommandID)
		case seen[c.CommandID]:
			l.t.Double++
			l.t.find("%s: stored twice, now after version %d", o, at.version)
		}
		seen[c.CommandID] = true
		at = l.commit(a, o, c, at)
		if late != nil {
			known[late.id] = late
			l.settle(late, c, at)
		}
	}
	for _, o := range acked {
		if !seen[o.id] && !o.lost {
			o.lost = true
			l.t.Lost++
			l.t.find("%s: acknowledged as version %d, now absent; the log ends at version %d", o, o.out.version, at.version)
		}
	}
	a.now = at
}

// settle gives an overtaken attempt the outcome that the log has, which repeats must get from now on.
func (l *look) settle(late *op, c *aggregate.Commit, at point) {
	l.t.Overtaken++
	late.out = outcome{accepted: true, version: at.version}
	for i := range c.Events {
		late.out.events = append(late.out.events, c.Events[i].EventID)
	}
	late.ret = int64(time.Since(l.t.start))
	late.account.answered(late)
}

// commit checks one commit, whose op may be nil, and gives where the account stands after it.
func (l *look) commit(a *account, o *op, c *aggregate.Commit, at point) point {
	for i := range c.Events {
		e := &c.Events[i]
		if l.ids[e.EventID] {
			l.t.Double++
			l.t.find("%s: event id %s is there twice", a, e.EventID)
		}
		l.ids[e.EventID] = true
		at.version++
		if uint64(e.Version) != at.version {
			l.t.Gaps++
			l.t.find("%s: version %d where %d is next", a, e.Version, at.version)
		}
		amount, err := amountOf(e)
		if err != nil {
			l.t.find("%s: version %d: %v", a, e.Version, err)
		}
		at.balance += amount
	}
	if o == nil {
		return at
	}
	if whole := o.out.version != 0 && o.out.version != at.version; len(c.Events) != o.parts || whole {
		l.t.Half++
		l.t.find("%s: %d events up to version %d are stored, %d up to %d were acknowledged (0: in doubt)", o, len(c.Events), at.version, o.parts, o.out.version)
	}
	for i, id := range o.out.events {
		if i < len(c.Events) && c.Events[i].EventID != id {
			l.t.find("%s: event %s is stored where %s was acknowledged", o, c.Events[i].EventID, id)
		}
	}
	if want := o.delta(); len(c.Events) == o.parts && sum(c) != want {
		l.t.find("%s: its events add %d to the balance, not %d", o, sum(c), want)
	}
	if at.balance < 0 {
		l.t.find("%s: balance %d", o, at.balance)
	}
	return at
}

func sum(c *aggregate.Commit) (total int64) {
	for i := range c.Events {
		n, _ := amountOf(&c.Events[i]) // told where it is read first
		total += n
	}
	return total
}

// amountOf is what a stored event adds to the balance.
func amountOf(e *aggregate.CommitEvent) (int64, error) {
	var p struct {
		Amount  json.Number `json:"amount"`
		Initial json.Number `json:"initial_balance"`
	}
	if err := json.Unmarshal(e.Payload, &p); err != nil {
		return 0, err
	}
	switch e.Type {
	case events[open]:
		return whole(p.Initial.String())
	case events[deposit]:
		return whole(p.Amount.String())
	case events[withdraw]:
		n, err := whole(p.Amount.String())
		return -n, err
	}
	return 0, fmt.Errorf("event %s, which no command of the trial makes", e.Type)
}

// ask compares the log with what the door shows of one account.
func (l *look) ask(ctx context.Context, a *account, commits []aggregate.Commit) error {
	shown, state, err := l.show(ctx, a)
	if err != nil || a.now.version == 0 && shown == nil {
		return err
	}
	var storedEvents []event
	for i := range commits {
		for _, e := range commits[i].Events {
			storedEvents = append(storedEvents, event{ID: e.EventID, Version: uint64(e.Version), Type: e.Type})
		}
	}
	if !slices.EqualFunc(shown, storedEvents, func(x, y event) bool { return x.ID == y.ID && x.Version == y.Version && x.Type == y.Type }) {
		l.t.find("%s: /events shows %d events, which are not the %d of the log", a, len(shown), len(storedEvents))
	}
	if state != a.now {
		l.t.find("%s: the door shows %+v, the log adds up to %+v", a, state, a.now)
	}
	return nil
}

// show asks the door for events and state; an unborn account has neither.
func (l *look) show(ctx context.Context, a *account) ([]event, point, error) {
	var list, state answer
	body, err := insist(func() ([]byte, error) { return l.door.Events(ctx, string(a.typ), a.id.String(), 0) })
	if unborn(body, err) {
		return nil, point{}, nil
	}
	if err != nil {
		return nil, point{}, fmt.Errorf("%w %s", err, body)
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, point{}, err
	}
	body, err = insist(func() ([]byte, error) { return l.door.State(ctx, string(a.typ), a.id.String()) })
	if err != nil {
		return nil, point{}, fmt.Errorf("%w %s", err, body)
	}
	if err := json.Unmarshal(body, &state); err != nil {
		return nil, point{}, err
	}
	balance, err := whole(state.State.Balance.String())
	return list.Events, point{state.Version, balance}, err
}

func unborn(body []byte, err error) bool {
	var a answer
	return errors.Is(err, client.ErrRefused) && json.Unmarshal(body, &a) == nil && a.Code == "not_found"
}
