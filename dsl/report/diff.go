package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Impact is whom a change concerns, the gravest first.
type Impact string

// The impacts.
const (
	Breaking   Impact = "breaking"   // stored events can no longer be read
	Replay     Impact = "replay"     // the same events may give another state; snapshots are dropped
	Clients    Impact = "clients"    // what was accepted or answered before may be no longer
	Forward    Impact = "forward"    // the old manifest cannot read what the new one stores: no way back
	Compatible Impact = "compatible" // nobody has to do anything
)

var impacts = []Impact{Breaking, Replay, Clients, Forward, Compatible}

// Change is one difference between two manifests.
type Change struct {
	Impact  Impact `json:"impact"`
	What    string `json:"what"` // such as "event deposited @1"
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// AggregateDiff is what has changed in one aggregate, the gravest first.
type AggregateDiff struct {
	Aggregate string   `json:"aggregate"`
	Readable  bool     `json:"events_readable"`
	Snapshots bool     `json:"snapshots_kept"`
	Changes   []Change `json:"changes"`
}

// NewDiff compares two compiled sets, each aggregate by its name; those that are the same in
// all that matters have no changes. Renaming an aggregate is leaving one and making another.
func NewDiff(old, now *dsl.Result) []AggregateDiff {
	out := []AggregateDiff{}
	for _, a := range old.Programs {
		d := &differ{old: a.Aggregate}
		if b := now.Program(a.Name); b != nil {
			d.now = b.Aggregate
			d.kept = bytecode.Fingerprint(a.Program) == bytecode.Fingerprint(b.Program)
			d.compare()
		} else {
			d.add(Breaking, "aggregate "+a.Name, "is gone: its stored events have no reader", "keep it as long as its streams are kept")
		}
		out = append(out, d.result())
	}
	for _, b := range now.Programs {
		if old.Program(b.Name) == nil {
			out = append(out, AggregateDiff{b.Name, true, true, []Change{{Compatible, "aggregate " + b.Name, "is new", ""}}})
		}
	}
	slices.SortStableFunc(out, func(a, b AggregateDiff) int { return strings.Compare(a.Aggregate, b.Aggregate) })
	return out
}

type differ struct {
	old, now *check.Aggregate
	kept     bool // snapshots
	changes  []Change
}

func (d *differ) add(i Impact, what, message, hint string) {
	d.changes = append(d.changes, Change{i, what, message, hint})
}

func (d *differ) result() AggregateDiff {
	slices.SortStableFunc(d.changes, func(a, b Change) int { return slices.Index(impacts, a.Impact) - slices.Index(impacts, b.Impact) })
	readable := !slices.ContainsFunc(d.changes, func(c Change) bool { return c.Impact == Breaking })
	return AggregateDiff{d.old.Name, readable, d.kept, append([]Change{}, d.changes...)}
}

func (d *differ) compare() {
	d.events()
	d.state()
	d.commands()
	d.answers()
	told := func(c Change) bool { return c.Impact == Replay || strings.HasPrefix(c.What, "event ") }
	if !d.kept && !slices.ContainsFunc(d.changes, told) {
		d.add(Replay, "apply", "a function, constant, record or enum that the state rests on has changed", "")
	}
}

func versionName(e *check.Event) string { return fmt.Sprintf("event %s @%d", e.Name, e.Version) }

func findEvent(a *check.Aggregate, name string, version int) *check.Event {
	for _, e := range a.Events {
		if e.Name == name && e.Version == version {
			return e
		}
	}
	return nil
}

func (d *differ) events() {
	for _, e := range d.old.Events {
		f := findEvent(d.now, e.Name, e.Version)
		if f == nil {
			d.add(Breaking, versionName(e), "is declared no more: what is stored of it cannot be read",
				"keep the declaration, with an upcast to what takes its place")
			continue
		}
		for _, x := range readFields("", e.Fields, f.Fields) {
			if x.impact == Breaking && x.hint == "" {
				x.hint = fmt.Sprintf("leave it as it was, declare event %s @%d, and an upcast to it", e.Name, d.highest(e.Name)+1)
			}
			d.add(x.impact, versionName(e), x.message, x.hint)
		}
		d.rules(e, f)
	}
	for _, f := range d.now.Events {
		if findEvent(d.old, f.Name, f.Version) == nil {
			d.add(Forward, versionName(f), "is new: the old manifest cannot read it", "")
		}
	}
}

func (d *differ) highest(name string) int {
	n := 0
	for _, e := range slices.Concat(d.old.Events, d.now.Events) {
		if e.Name == name {
			n = max(n, e.Version)
		}
	}
	return n
}

// rules compares what apply and upcast do with an event, as far as the snapshots tell that
// something differs.
func (d *differ) rules(e, f *check.Event) {
	if d.kept {
		return
	}
	if e.Current && f.Current && flat(e.ApplySpan) != flat(f.ApplySpan) {
		d.add(Replay, "apply "+e.Name, "has changed: the same events may give another state", "")
	}
	switch {
	case e.Upcast != nil && f.Upcast != nil && flat(e.Upcast.Span) != flat(f.Upcast.Span):
		d.add(Replay, "upcast "+e.Name, "has changed: the same events may give another state", "")
	case e.Current && f.Upcast != nil:
		d.add(Replay, "upcast "+e.Name, fmt.Sprintf("is new: @%d is read as %s @%d", e.Version, f.Upcast.To.Name, f.Upcast.To.Version), "")
	}
}

// flat is the text of a place without its layout.
func flat(s diag.Span) string { return strings.Join(strings.Fields(s.Text()), " ") }

func (d *differ) state() {
	if d.kept {
		return
	}
	for _, f := range d.old.State {
		g := field(d.now.State, f.Name)
		what := "state." + f.Name
		switch {
		case g == nil:
			d.add(Replay, what, "is gone", "")
		case f.Type.String() != g.Type.String():
			d.add(Replay, what, fmt.Sprintf("was %s, is %s", f.Type, g.Type), "")
		case fieldText(&f) != fieldText(g):
			d.add(Replay, what, fmt.Sprintf("began as %s, begins as %s", fieldText(&f), fieldText(g)), "")
		}
	}
	for _, g := range d.now.State {
		if field(d.old.State, g.Name) == nil {
			d.add(Replay, "state."+g.Name, "is new", "")
		}
	}
}

// fieldText is what a field is when it is left out, as JSON; empty when it may not be.
func fieldText(f *value.Field) string {
	switch {
	case f.HasDefault:
		return string(value.AppendJSON(nil, f.Type, f.Default))
	case f.Type.Kind == value.Optional:
		return "null"
	}
	return ""
}

func field(list []value.Field, name string) *value.Field {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}
