package compile

import (
	"math/bits"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
)

// fieldSet is a set of state fields.
type fieldSet []uint64

func (s fieldSet) add(i int) { s[i/64] |= 1 << (i % 64) }

func (s fieldSet) merge(t fieldSet) {
	for i := range s {
		s[i] |= t[i]
	}
}

// list gives the members in order.
func (s fieldSet) list() []uint16 {
	var out []uint16
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			out = append(out, uint16(i*64+bits.TrailingZeros64(w)))
		}
	}
	return out
}

// usage is what a chunk and all that it runs does with the state.
type usage struct{ reads, writes, olds fieldSet }

func (c *compiler) newUsage() usage {
	n := (len(c.agg.State) + 63) / 64
	all := make(fieldSet, 3*n)
	return usage{all[:n:n], all[n : 2*n : 2*n], all[2*n:]}
}

func (u usage) merge(v usage) {
	u.reads.merge(v.reads)
	u.writes.merge(v.writes)
	u.olds.merge(v.olds)
}

// loads are the fields that the machine must bring: a field that is written on some path only
// must be there for the others.
func (u usage) loads() []uint16 {
	all := append(fieldSet(nil), u.reads...)
	all.merge(u.writes)
	return all.list()
}

// oldFields pairs the fields whose value before the command is read with their slots. The
// slots are final only when the frame is laid out.
func (c *compiler) oldFields(u usage) []bytecode.OldField {
	var out []bytecode.OldField
	for _, f := range u.olds.list() {
		out = append(out, bytecode.OldField{Field: f, Slot: c.slot(c.oldSlots[f])})
	}
	return out
}
