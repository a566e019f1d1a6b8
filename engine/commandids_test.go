package engine

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate"
)

func idOf(n uint64) (id aggregate.ID) {
	binary.BigEndian.PutUint64(id[:], 0x0192f0c12d3e7000)
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

func idsOf(n, perMessage int) *commandIDs {
	c := &commandIDs{}
	for i := range n {
		c.add(idOf(uint64(i)), aggregate.Sequence(10+7*(i/perMessage)))
	}
	return c
}

func TestCommandIDsAlwaysFindWhatWasAdded(t *testing.T) {
	for _, per := range []int{1, 3, 500} {
		c := idsOf(5000, per)
		for i := range 5000 {
			got := c.candidates(nil, idOf(uint64(i)))
			if want := aggregate.Sequence(10 + 7*(i/per)); !slices.Contains(got, want) {
				t.Fatalf("%d a message, commit %d: got %v, want one of them to be %d", per, i, got, want)
			}
		}
	}
}

func TestCommandIDsRarelyNameWhatWasNotAdded(t *testing.T) {
	c := idsOf(20*segmentCommits, 1)
	reads := 0
	for i := range 10_000 {
		reads += len(c.candidates(nil, idOf(uint64(1_000_000+i))))
	}
	// 20 segments times 1/120 times 1,024/65,536 is 1 in 380.
	if reads > 80 {
		t.Errorf("10,000 unknown ids cost %d reads, want about 26", reads)
	}
}

func TestCommandIDsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &commandIDs{}
		seq := aggregate.Sequence(rapid.Uint64Range(1, 1<<40).Draw(t, "first"))
		for range rapid.IntRange(0, 2500).Draw(t, "commits") {
			seq += aggregate.Sequence(rapid.Uint64Range(0, 3).Draw(t, "step"))
			c.add(aggregate.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")), seq)
		}
		d, err := decodeCommands(c.encode(nil))
		if err != nil {
			t.Fatal(err)
		}
		if d.len() != c.len() || !slices.Equal(d.hashes, c.hashes) || !slices.Equal(d.seqs, c.seqs) || len(d.closed) != len(c.closed) {
			t.Fatalf("got %d commits, want %d, or they differ", d.len(), c.len())
		}
		for i := range c.closed {
			if !bytes.Equal(c.closed[i], d.closed[i]) {
				t.Fatalf("segment %d differs", i)
			}
		}
	})
}

func TestCommandIDsCopyIsIndependent(t *testing.T) {
	c := idsOf(1500, 1)
	d := c.copy()
	want := d.encode(nil)
	for i := range 3000 {
		c.add(idOf(uint64(9000+i)), aggregate.Sequence(100_000+i))
	}
	if !bytes.Equal(want, d.encode(nil)) {
		t.Error("a copy changed with what it was copied from")
	}
}

func TestDecodeCommandsRefusesDamage(t *testing.T) {
	good := idsOf(1100, 1).encode(nil)
	for name, b := range map[string][]byte{
		"empty":           {},
		"another version": append([]byte{2}, good[1:]...),
		"cut short":       good[:len(good)-1],
		"one byte more":   append(slices.Clone(good), 0),
		"absurd count":    {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	} {
		if _, err := decodeCommands(b); err == nil {
			t.Errorf("%s: decoded without an error", name)
		}
	}
}

func FuzzDecodeCommands(f *testing.F) {
	f.Add(idsOf(3, 1).encode(nil))
	f.Add(idsOf(1030, 2).encode(nil))
	f.Add([]byte{1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeCommands(b)
		if err != nil {
			return
		}
		c.candidates(nil, idOf(1))
		d, err := decodeCommands(c.encode(nil))
		if err != nil || d.len() != c.len() {
			t.Fatalf("what was decoded does not encode again: %v", err)
		}
		d.add(idOf(5), 1<<63)
	})
}
