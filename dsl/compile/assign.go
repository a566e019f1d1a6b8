package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// assign changes a state field or a var. Keys are evaluated first, once and in order, then the
// value; then the way down to the place is read and written again on the way up.
func (b *builder) assign(s *check.Assign) {
	mark := b.mark()
	root := b.root(s)
	if len(s.Steps) == 0 {
		b.update(s, root, root)
		b.release(mark)
		return
	}
	keys := make([]operand, len(s.Steps))
	for i, st := range s.Steps {
		if st.Key != nil {
			keys[i] = b.eval(st.Key)
		}
	}
	value := b.assigned(s)
	along := b.down(s, root, keys)
	b.up(s, root, keys, along, value)
	b.release(mark)
}

// root is the slot at which the path begins.
func (b *builder) root(s *check.Assign) operand {
	if s.Local != nil {
		return b.locals[s.Local]
	}
	b.uses.writes.add(s.Field)
	if len(s.Steps) > 0 || s.Op != check.SetTo {
		b.uses.reads.add(s.Field)
	}
	return regState | operand(s.Field)
}

// assigned is the value of an assignment to a place inside.
func (b *builder) assigned(s *check.Assign) operand {
	if s.Value == nil {
		return 0
	}
	return b.eval(s.Value)
}

// down reads the containers on the path: along[i] is what step i steps into.
func (b *builder) down(s *check.Assign, root operand, keys []operand) []operand {
	along := []operand{root}
	for i := range s.Steps[:len(s.Steps)-1] {
		st := &s.Steps[i]
		part := b.temp(s.Steps[i+1].Of)
		b.get(st, part, along[i], keys[i])
		along = append(along, part)
	}
	return along
}

// get reads the element that a step leads to.
func (b *builder) get(st *check.Step, dst, of, key operand) {
	before := b.at(st.Span)
	switch st.Of.Kind {
	case value.Record:
		b.op(bytecode.OpField, dst, of, operand(st.Field))
	case value.Map:
		b.op(bytecode.OpIndexM, dst, of, key)
	default:
		b.op(bytecode.OpIndexL, dst, of, key)
	}
	b.span = before
}

// put writes dst: of with the element that the step leads to replaced by v.
func (b *builder) put(st *check.Step, dst, of, key, v operand) {
	before := b.at(st.Span)
	op := bytecode.OpSetL
	switch st.Of.Kind {
	case value.Record:
		op, key = bytecode.OpWith, operand(st.Field)
	case value.Map:
		op = bytecode.OpSetM
	}
	in := b.op(op, dst, of, key)
	in.x, in.ext = v, true
	b.span = before
}

// up changes the place and makes new containers around it.
func (b *builder) up(s *check.Assign, root operand, keys, along []operand, v operand) {
	last := len(s.Steps) - 1
	st := &s.Steps[last]
	target := func(i int) operand {
		if i == 0 {
			return root
		}
		return along[i]
	}
	if s.Op == check.Remove {
		op := bytecode.OpRemoveM
		if st.Of.Kind == value.List {
			op = bytecode.OpRemoveL
		}
		b.op(op, target(last), along[last], keys[last])
	} else {
		if s.Op == check.SetTo {
			b.boundPlace(s, v)
		} else {
			place := b.temp(s.Target)
			b.get(st, place, along[last], keys[last])
			b.change(s, place, place, v)
			v = place
		}
		b.put(st, target(last), along[last], keys[last], v)
		if s.Op == check.SetTo && st.Of.Kind == value.Map {
			b.length(target(last), st.Of)
		}
	}
	for i := last - 1; i >= 0; i-- {
		b.put(&s.Steps[i], target(i), along[i], keys[i], along[i+1])
	}
}

// update changes a whole field or var, in slot place.
func (b *builder) update(s *check.Assign, place, dst operand) {
	if s.Op != check.SetTo {
		b.change(s, dst, place, b.eval(s.Value))
		return
	}
	if atomic(s.Value) || !b.reads(s.Value, s) {
		b.store(s.Value, dst)
	} else {
		b.move(dst, b.eval(s.Value))
	}
	b.boundPlace(s, dst)
}

// reads tells that e may read the place that s writes.
func (b *builder) reads(e check.Expr, s *check.Assign) bool {
	found := false
	walker(func(e check.Expr) {
		switch e := e.(type) {
		case *check.LocalRef:
			// A let, or a parameter, may lie in the place's own slot.
			found = found || s.Local == nil || b.locals[e.Local] == b.locals[s.Local]
		case *check.StateField:
			found = found || s.Local == nil && e.Field == s.Field
		case *check.DeriveRef:
			found = found || s.Local == nil
		case *check.FnCall:
			found = found || s.Local == nil && e.Fn.ReadsState || s.Local != nil
		}
	}).expr(e)
	return found
}

// change sets dst to what stands in place, updated by v.
func (b *builder) change(s *check.Assign, dst, place, v operand) {
	switch s.Op {
	case check.Update:
		b.op(arithOp(s.Arith, s.Target), dst, place, v)
	case check.AppendStr:
		t := b.c.types.of(value.StringType)
		two := b.window(t, t)
		b.move(two, place)
		b.move(two.at(1), v)
		b.op(bytecode.OpConcat, dst, two, 2)
		b.boundPlace(s, dst)
	case check.Append:
		b.boundElem(s, v)
		b.op(bytecode.OpAppend, dst, place, v)
		b.length(dst, s.Target)
	case check.Insert:
		b.boundElem(s, v)
		b.op(bytecode.OpInsert, dst, place, v)
		b.length(dst, s.Target)
	}
}

// boundPlace checks a value that is written against the bounds of its place.
func (b *builder) boundPlace(s *check.Assign, v operand) {
	b.bound(v, s.Target, s.Value)
}

func (b *builder) boundElem(s *check.Assign, v operand) {
	b.bound(v, s.Target.Elem, s.Value)
}

// length checks a container that has grown; its elements have been checked.
func (b *builder) length(o operand, t *value.Type) {
	if t.Bound > 0 {
		b.op(bytecode.OpBound, o, 0, operand(b.c.types.bounded(t))).n = 1
	}
}
