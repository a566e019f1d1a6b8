package testrun

import (
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// refusal is a code with which a command can be refused, and the first place that gives it.
type refusal struct {
	code string
	at   diag.Span
}

// refusals lists the codes that a command itself can be refused with: for its sender's role, for
// the birth it would be, then those of its rule in the order of the text. Validation and
// invariants are not among them, nor what commonRefusals lists.
func refusals(c *check.Command) []refusal {
	var out []refusal
	add := func(code string, at diag.Span) {
		for i := range out {
			if out[i].code == code {
				return
			}
		}
		out = append(out, refusal{code, at})
	}
	if len(c.By) > 0 {
		add("forbidden", c.Span)
	}
	if c.Creates {
		out = append(out, refusal{codeOf(c.CreateElse, "already_exists"), c.Span})
	}
	eachStmt(c.Decide, func(s check.Stmt) {
		switch s := s.(type) {
		case *check.Require:
			if !s.Nothing {
				add(s.Refusal.Code, s.Span)
			}
		case *check.RejectStmt:
			add(s.Refusal.Code, s.Span)
		}
	})
	return out
}

// commonRefusals lists the codes that the aggregate gives whatever the command is: before its
// birth and after its end.
func commonRefusals(a *check.Aggregate) []refusal {
	var out []refusal
	if hasBirth(a) {
		out = append(out, refusal{"not_found", a.Span})
	}
	if a.Final != nil {
		out = append(out, refusal{codeOf(a.Final.Refusal, "finished"), a.Final.Span})
	}
	return out
}

func codeOf(r *check.Refusal, reserved string) string {
	if r != nil {
		return r.Code
	}
	return reserved
}

// emitted lists the events that a command can emit, in the order of the text.
func emitted(c *check.Command) []*check.Event {
	var out []*check.Event
	seen := map[*check.Event]bool{}
	eachStmt(c.Decide, func(s check.Stmt) {
		if e, ok := s.(*check.Emit); ok && !seen[e.Event] {
			seen[e.Event] = true
			out = append(out, e.Event)
		}
	})
	return out
}

// eachStmt visits statements at any depth, those of guards where they are checked.
func eachStmt(list []check.Stmt, f func(check.Stmt)) {
	for _, s := range list {
		f(s)
		switch s := s.(type) {
		case *check.Check:
			eachStmt(s.Guard.Body, f)
		case *check.IfStmt:
			eachStmt(s.Then, f)
			eachStmt(s.Else, f)
		case *check.Match:
			for _, arm := range s.Arms {
				eachStmt(arm.Body, f)
			}
		case *check.For:
			eachStmt(s.Body, f)
		}
	}
}
