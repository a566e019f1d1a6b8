package vm

import (
	"strconv"
	"unsafe"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// DecodeCommand reads the payload of a command, one JSON object whose "type" is not looked at,
// into the machine, and checks the wheres. It gives nil or all that is wrong, in the order of
// ruling 120; then there is nothing to decide.
func (m *Machine) DecodeCommand(cmd int, payload []byte) []value.FieldError {
	c := &m.p.commands[cmd]
	dst := m.fields(c.Base, len(c.Fields))
	if errs := value.DecodeFields(dst, c.Fields, payload, value.DecodeOptions{Ignore: "type"}); errs != nil {
		m.forget(c.Base, len(c.Fields))
		return errs
	}
	if m.allHold(c) {
		return nil
	}
	return m.checkWheres(c)
}

// SetCommand is DecodeCommand for values that are there already; it checks their bounds.
func (m *Machine) SetCommand(cmd int, vals []value.V) []value.FieldError {
	c := &m.p.commands[cmd]
	vals = vals[:c.n]
	dst := unsafe.Add(m.slots(), uintptr(c.at))
	for i := range vals {
		*at(dst, 0) = vals[i] // one by one: for a copy Go asks the garbage collector first
		dst = unsafe.Add(dst, cellSize)
	}
	if !c.bounded && m.allHold(c) {
		return nil
	}
	return m.check(c, vals)
}

// check tells what is wrong with the values of a command, if anything is.
func (m *Machine) check(c *command, vals []value.V) []value.FieldError {
	if errs := overBounds(c.Fields, vals); errs != nil {
		return errs
	}
	if m.allHold(c) {
		return nil
	}
	return m.checkWheres(c)
}

func overBounds(fields []value.Field, vals []value.V) (errs []value.FieldError) {
	for i := range fields {
		if !value.CheckBound(fields[i].Type, vals[i]) {
			errs = append(errs, value.FieldError{Path: fields[i].Name, Kind: value.OverBound, Message: "is over its bound"})
		}
	}
	return errs
}

// CommandFields are the values of the command that was set, until the next.
func (m *Machine) CommandFields(cmd int) []value.V {
	c := &m.p.commands[cmd]
	return m.fields(c.Base, len(c.Fields))
}

func (m *Machine) fields(base uint16, n int) []value.V { return m.frame[base : int(base)+n] }

// forget puts slots back as they were: a value that was read in part is none.
func (m *Machine) forget(base uint16, n int) {
	copy(m.fields(base, n), m.p.template[base:])
}

func (p *Program) prepareWheres() {
	p.wheres = make([]recordWheres, len(p.src.Wheres))
	for i, w := range p.src.Wheres {
		p.wheres[i] = recordWheres{p.src.Records[w.Record], w.Wheres}
	}
	for i := range p.commands {
		c := &p.commands[i]
		c.quick, c.plain = p.quickWheres(c.Command)
		for k := range c.Fields {
			c.bounded = c.bounded || bounded(c.Fields[k].Type)
		}
	}
}

// brings tells whether values of t may hold records with wheres.
func (p *Program) brings(t *value.Type) bool {
	switch t.Kind {
	case value.Optional, value.List, value.Map:
		return p.brings(t.Elem)
	case value.Record:
		if p.wheresOf(t.Record) != nil {
			return true
		}
		for i := range t.Record.Fields {
			if p.brings(t.Record.Fields[i].Type) {
				return true
			}
		}
	}
	return false
}

func (p *Program) wheresOf(r *value.RecordType) []bytecode.Where {
	for i := range p.wheres {
		if p.wheres[i].rec == r {
			return p.wheres[i].wheres
		}
	}
	return nil
}

// checkWheres, for what allHold does not say yes to, checks the wheres of a command and of the
// records that it brings, under gas of its own.
func (m *Machine) checkWheres(c *command) []value.FieldError {
	m.begin(m.p.Gas())
	w := whereCheck{m: m}
	w.fields("", c.Fields, m.fields(c.Base, len(c.Fields)), c.Wheres)
	return w.errs
}

// maxWhereErrors is how many broken wheres are told.
const maxWhereErrors = 100

type whereCheck struct {
	m    *Machine
	errs []value.FieldError
}

// fields checks, field by field, the records within and then the wheres of the field.
func (w *whereCheck) fields(path string, fields []value.Field, vals []value.V, wheres []bytecode.Where) {
	for i := range fields {
		if len(w.m.p.wheres) > 0 && w.m.p.brings(fields[i].Type) {
			w.value(join(path, fields[i].Name), fields[i].Type, vals[i])
		}
		for k := range wheres {
			if int(wheres[k].Field) == i {
				w.check(&wheres[k], path, fields, vals)
			}
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// value looks for records in v.
func (w *whereCheck) value(path string, t *value.Type, v value.V) {
	if len(w.errs) >= maxWhereErrors {
		return
	}
	switch t.Kind {
	case value.Optional:
		if !v.IsNone() {
			w.value(path, t.Elem, v)
		}
	case value.Record:
		fields := t.Record.Fields
		w.fields(path, fields, v.Fields(len(fields)), w.m.p.wheresOf(t.Record))
	case value.List:
		for i := range v.Len() {
			w.value(path+"["+strconv.Itoa(i)+"]", t.Elem, value.ElemAt(t, v, i))
		}
	case value.Map:
		for i, k := range v.Keys() {
			key := string(value.AppendText(nil, t.Key, k))
			w.value(path+"["+strconv.Quote(value.Shown(key))+"]", t.Elem, value.ElemAt(t, v, i))
		}
	}
}

// check runs one where; one on a T? that is absent holds.
func (w *whereCheck) check(c *bytecode.Where, path string, fields []value.Field, vals []value.V) {
	if len(w.errs) >= maxWhereErrors {
		return
	}
	f := &fields[c.Field]
	if f.Type.Kind == value.Optional && vals[c.Field].IsNone() {
		return
	}
	for i, s := range c.Params {
		w.m.frame[s] = vals[i]
	}
	e := w.m.run(c.Chunk)
	if e == returned && w.m.frame[c.Result].W != 0 {
		return
	}
	message := "must satisfy " + c.Text
	if e == faulted {
		message = "cannot be checked: " + w.m.fault.String() + " in " + c.Text
	}
	w.errs = append(w.errs, value.FieldError{Path: join(path, f.Name), Kind: value.OverBound, Message: message})
}
