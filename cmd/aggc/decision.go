package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// decision is one command being decided. Its answers are written digit by digit from the values
// of the machine: no number passes through a float.
type decision struct {
	p      *vm.Program
	m      *vm.Machine
	stderr io.Writer
}

// answer decides a command and gives the JSON that tells of it; ok is false unless it was
// accepted. Without a given state it is the initial one.
func (d *decision) answer(stateText []byte, given bool, command []byte, ctx *vm.Ctx) (text []byte, ok bool) {
	state := d.p.NewState()
	if given {
		var errs []value.FieldError
		if state, errs = d.p.DecodeState(stateText); errs != nil {
			for i := range errs {
				errs[i].Message = "in the state: " + errs[i].Message
			}
			return invalid(errs), false
		}
	}
	name, err := value.PeekType(command)
	if err != nil {
		return invalidOne(err), false
	}
	cmd, known := d.p.Command(name)
	if !known {
		msg := fmt.Sprintf("unknown command %q of %s", name, d.p.Name())
		return invalid([]value.FieldError{{Path: "type", Message: msg}}), false
	}
	if errs := d.m.DecodeCommand(cmd, command); errs != nil {
		return invalid(errs), false
	}
	out := d.m.Decide(cmd, state, ctx, ctx.Version.Int() > 0, d.p.Gas())
	switch out.Kind {
	case vm.Rejected:
		b := value.AppendQuoted([]byte(`{"rejected":{"code":`), out.Code)
		b = value.AppendQuoted(append(b, `,"message":`...), out.Message)
		return append(b, "}}"...), false
	case vm.Faulted:
		b := value.AppendQuoted([]byte(`{"fault":{"kind":`), out.Fault.String())
		b = value.AppendQuoted(append(b, `,"rule":`...), out.Rule)
		return fmt.Appendf(b, `,"line":%d}}`, out.Line), false
	}
	events := d.events()
	d.m.Store(cmd, state)
	return d.accepted(events, state, out.Gas), true
}

func (d *decision) events() []byte {
	b := []byte{'['}
	for i := range d.m.Events() {
		if i > 0 {
			b = append(b, ',')
		}
		name, _ := d.m.EventName(i)
		b = value.AppendQuoted(append(b, `{"event_type":`...), name)
		b = append(d.m.AppendEvent(append(b, `,"payload":`...), i), '}')
	}
	return append(b, ']')
}

func (d *decision) accepted(events []byte, state []value.V, gas int64) []byte {
	b := append([]byte(`{"events":`), events...)
	b = d.p.AppendState(append(b, `,"state":`...), state, value.Encoder{})
	b, out := d.m.AppendDerived(append(b, `,"derived":`...), state, value.Encoder{})
	if out.Kind == vm.Faulted {
		fmt.Fprintf(d.stderr, "aggc: a derived value is null: fault %s in %s at line %d\n", out.Fault, out.Rule, out.Line)
	}
	return fmt.Appendf(b, `,"gas":%d}`, gas)
}

// invalid tells what is wrong with JSON from outside: the first, and all if there are several.
func invalid(errs []value.FieldError) []byte {
	b := appendError([]byte(`{"invalid":{`), &errs[0])
	if len(errs) > 1 {
		b = append(b, `,"errors":[`...)
		for i := range errs {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendError(append(b, '{'), &errs[i]), '}')
		}
		b = append(b, ']')
	}
	return append(b, "}}"...)
}

func invalidOne(err error) []byte {
	var f *value.FieldError
	if !errors.As(err, &f) {
		f = &value.FieldError{Message: err.Error()}
	}
	return invalid([]value.FieldError{*f})
}

// appendError appends path and message. Broken JSON has no path: its message tells the byte.
func appendError(b []byte, e *value.FieldError) []byte {
	message := e.Message
	if e.Path == "" {
		message = e.Error()
	}
	b = value.AppendQuoted(append(b, `"path":`...), e.Path)
	return value.AppendQuoted(append(b, `,"message":`...), message)
}
