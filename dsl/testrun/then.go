package testrun

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// then judges one `then` of the last command.
func (r *runner) then(s *compile.TestStep) {
	c := r.cmd
	if c == nil || c.failed {
		return
	}
	switch src := s.Source.(type) {
	case *check.ThenEmit:
		r.thenEmit(s, src)
	case *check.ThenNothing:
		if !c.accepted() || r.m.Events() > 0 {
			r.failOutcome(s, "nothing")
		}
	case *check.ThenReject:
		r.thenReject(s)
	case *check.ThenInvalid:
		if !invalidAt(c.errs, src.Path) {
			r.failOutcome(s, "invalid "+src.Path)
		}
	case *check.ThenFault:
		if c.errs != nil || c.out.Kind != vm.Faulted || c.out.Fault != src.Fault {
			r.failOutcome(s, "fault "+src.Fault.String())
		}
	case *check.ThenGas:
		if limit := src.N; c.out.Gas > limit || c.out.Gas == limit && !src.OrEqual {
			r.fail(s, Failure{Want: strings.TrimPrefix(oneLine(src.Span.Text()), "then "), Got: fmt.Sprintf("gas %d", c.out.Gas)})
		}
	case *check.ThenCond:
		r.thenCond(s, src)
	}
}

func invalidAt(errs []value.FieldError, path string) bool {
	for i := range errs {
		if errs[i].Path == path {
			return true
		}
	}
	return false
}

func (r *runner) thenReject(s *compile.TestStep) {
	if !r.eval(s) {
		return
	}
	c := r.cmd
	code, message := r.value(&s.Parts[0]).Str(), &s.Parts[1]
	want := "reject " + code
	wrong := c.errs != nil || c.out.Kind != vm.Rejected || c.out.Code != code
	if !message.Absent {
		text := r.value(message).Str()
		want += " " + strconv.Quote(text)
		wrong = wrong || c.out.Message != text
	}
	if wrong {
		r.failOutcome(s, want)
	}
}

// thenCond evaluates a condition and, if it is false, its operands.
func (r *runner) thenCond(s *compile.TestStep, src *check.ThenCond) {
	if !r.eval(s) || r.m.Slot(s.Eval.Result).Bool() {
		return
	}
	f := Failure{Cond: oneLine(src.Text)}
	for i := range s.Shown {
		sh := &s.Shown[i]
		v, out := r.m.Eval(sh.Eval, r.state, &r.ctx)
		if sh.Bound && out.Kind != vm.Faulted && v.IsNone() {
			continue
		}
		text := "fault " + out.Fault.String()
		if out.Kind != vm.Faulted {
			text = string(value.AppendJSON(nil, sh.Type, v))
		}
		f.Shown = append(f.Shown, Shown{oneLine(sh.Text), text})
	}
	r.fail(s, f)
}

// thenEmit compares the next event. After one that is another, the rest would be noise.
func (r *runner) thenEmit(s *compile.TestStep, src *check.ThenEmit) {
	c := r.cmd
	i := c.emits
	c.emits++
	if c.order || !r.eval(s) {
		return
	}
	switch {
	case !c.accepted() || r.m.Events() == 0:
		r.failOutcome(s, r.wantText(s, src))
		return
	case i >= r.m.Events():
		c.order = true
		r.fail(s, Failure{Want: r.wantText(s, src), Got: "no event after " + r.outcome()})
		return
	}
	decl, got := r.m.Event(i)
	if decl != s.Event {
		c.order = true
		r.fail(s, Failure{Want: r.wantText(s, src), Got: r.eventText(i)})
		return
	}
	d := differ{r: r}
	for f := range s.Want {
		d.want(src.Event.Fields[f].Name, &s.Want[f], got[f])
	}
	if len(d.out) > 0 {
		r.fail(s, Failure{Diffs: d.out})
	}
}

// wantText is the wanted event as outcome shows the one that came.
func (r *runner) wantText(s *compile.TestStep, src *check.ThenEmit) string {
	dst := append([]byte("emit "+src.Event.Name+" "), '{')
	for i := range s.Want {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(value.AppendQuoted(dst, src.Event.Fields[i].Name), ':')
		dst = r.appendWant(dst, &s.Want[i])
	}
	return string(append(dst, '}'))
}

// appendWant appends what is wanted as JSON, with _ for what may be anything.
func (r *runner) appendWant(dst []byte, w *compile.TestWant) []byte {
	switch {
	case w.Blank:
		return append(dst, '_')
	case !w.Deep:
		return value.AppendJSON(dst, w.Type, r.value(&w.Part))
	}
	t := bare(w.Type)
	open, closer := byte('{'), byte('}')
	if t.Kind == value.List {
		open, closer = '[', ']'
	}
	for i := range w.Parts {
		if i > 0 {
			open = ','
		}
		dst = append(dst, open)
		switch t.Kind {
		case value.Record:
			dst = append(value.AppendQuoted(dst, t.Record.Fields[i].Name), ':')
		case value.Map:
			dst = append(value.AppendQuoted(dst, plain(t.Key, r.value(&w.Keys[i]))), ':')
		}
		dst = r.appendWant(dst, &w.Parts[i])
	}
	if len(w.Parts) == 0 {
		dst = append(dst, open)
	}
	return append(dst, closer)
}

func bare(t *value.Type) *value.Type {
	if t.Kind == value.Optional {
		return t.Elem
	}
	return t
}
