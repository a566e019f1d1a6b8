package report

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// match runs the arms that the subject leaves open, in their order.
func (m *machine) match(s *check.Match, w *world) *world {
	subject := m.eval(s.Subject, w)
	var after *world
	var tried []string
	for _, arm := range s.Arms {
		t := m.fits(s.Subject.Type(), subject, arm)
		if t == no {
			continue
		}
		v := w.clone()
		left := m.narrowArm(s, arm, subject, v)
		run := func() { after = m.meet(after, m.run(arm.Body, v)) }
		if t == yes && len(tried) == 0 {
			run()
			return after
		}
		text := m.text(s.Subject) + " is " + patterns(arm)
		if len(arm.Patterns) == 1 && arm.Patterns[0].Kind == check.PatWild {
			text = m.text(s.Subject) + " is none of " + strings.Join(tried, ", ")
		}
		m.under(text, m.explain(s.Subject), run)
		if t == yes || left.empty() {
			return after
		}
		tried = append(tried, patterns(arm))
		subject = left
	}
	return after
}

func patterns(arm *check.Arm) string {
	var out []string
	for _, p := range arm.Patterns {
		out = append(out, spanText(p.Span))
	}
	return strings.Join(out, ", ")
}

// fits tells whether a value takes an arm: yes, surely; no, never.
func (m *machine) fits(t *value.Type, x aval, arm *check.Arm) truth {
	out := no
	for _, p := range arm.Patterns {
		switch fit(t, x, p) {
		case yes:
			return yes
		case open:
			out = open
		}
	}
	if x.kind == oneOf && out == open && covered(x, arm) {
		return yes
	}
	return out
}

func covered(x aval, arm *check.Arm) bool {
	return x.keep(func(o int) bool { return !inArm(o, arm) }).empty()
}

// inArm tells whether a member takes an arm.
func inArm(o int, arm *check.Arm) bool {
	for _, p := range arm.Patterns {
		if p.Kind == check.PatWild || p.Kind == check.PatConst && p.From.Int() == int64(o) {
			return true
		}
	}
	return false
}

func fit(t *value.Type, x aval, p check.Pattern) truth {
	elem := t
	if t.Kind == value.Optional {
		elem = t.Elem
	}
	switch p.Kind {
	case check.PatWild:
		return yes
	case check.PatNone:
		return either(x.isNone(), x.isPresent())
	case check.PatSome:
		return either(x.isPresent(), x.isNone())
	}
	if x.isNone() && t.Kind == value.Optional {
		return no
	}
	if x.kind == oneOf {
		o := int(p.From.Int())
		_, alone := x.only()
		return either(alone && x.set[o], !x.set[o])
	}
	if x.kind != constant {
		return open
	}
	if p.Kind == check.PatConst {
		return truthOf(value.Equal(elem, x.v, p.From))
	}
	return truthOf(value.Compare(elem, x.v, p.From) >= 0 && value.Compare(elem, x.v, p.To) <= 0)
}

func either(is, isNot bool) truth {
	switch {
	case is:
		return yes
	case isNot:
		return no
	}
	return open
}

// narrowArm tells w what the subject is in an arm, and gives what is left for later arms.
func (m *machine) narrowArm(s *check.Match, arm *check.Arm, subject aval, w *world) aval {
	for _, p := range arm.Patterns {
		if p.Kind == check.PatSome && p.Bind != nil {
			w.forgetLocal(p.Bind)
			w.locals[p.Bind] = unknown(p.Bind.Type)
			m.lets[p.Bind] = s.Subject
			if subject.kind == constant && !subject.v.IsNone() {
				w.locals[p.Bind] = exactly(p.Bind.Type, subject.v)
			}
		}
	}
	if subject.kind != oneOf {
		return subject
	}
	in := func(o int) bool { return subject.set[o] && inArm(o, arm) }
	m.narrow(s.Subject, w, in)
	if s.Subject.Type().Kind == value.Bool {
		m.assume(s.Subject, in(1), w)
	}
	return subject.keep(func(o int) bool { return !in(o) })
}
