package engine

import (
	"encoding/binary"
	"testing"

	"github.com/cloudlysis/aggregate"
)

// syntheticIDs are n commits, a message each, one in 2,000 of the log.
func syntheticIDs(n int) *commandIDs {
	var c commandIDs
	var id aggregate.ID
	for i := range n {
		binary.BigEndian.PutUint64(id[8:], uint64(i)+1)
		c.add(id, aggregate.Sequence(i+1)*2000)
	}
	return &c
}

const manyCommits = 1_000_000

// BenchmarkFreshCommandID: what a command id that was never seen costs on an aggregate of a million
// commits, and how many bytes of memory and of a snapshot a commit takes.
func BenchmarkFreshCommandID(b *testing.B) {
	c := syntheticIDs(manyCommits)
	bytes := float64(len(c.encode(nil))) / manyCommits
	var dst []aggregate.Sequence
	var id aggregate.ID
	id[0] = 0xfe
	reads, n := 0, uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		n++
		binary.BigEndian.PutUint64(id[8:], n)
		dst = c.candidates(dst[:0], id)
		reads += len(dst)
	}
	b.ReportMetric(bytes, "bytes/commit")
	b.ReportMetric(float64(reads)/float64(n), "reads/id")
}

// BenchmarkKnownCommandID is the same for a repeat: its message must be among few candidates.
func BenchmarkKnownCommandID(b *testing.B) {
	c := syntheticIDs(manyCommits)
	var dst []aggregate.Sequence
	var id aggregate.ID
	reads, n := 0, uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		n++
		at := n * 7919 % manyCommits
		binary.BigEndian.PutUint64(id[8:], at+1)
		dst = c.candidates(dst[:0], id)
		reads += len(dst)
	}
	b.ReportMetric(float64(reads)/float64(n), "reads/id")
}

// A million commits stay within what is promised: few bytes for each, few needless reads.
func TestCommandIDsOfAMillionCommits(t *testing.T) {
	if testing.Short() {
		t.Skip("a million commits")
	}
	c := syntheticIDs(manyCommits)
	if n := len(c.encode(nil)); n > 7*manyCommits {
		t.Errorf("%d bytes for %d commits", n, manyCommits)
	}
	var id aggregate.ID
	id[0] = 0xfe
	reads := 0
	for i := range uint64(1000) {
		binary.BigEndian.PutUint64(id[8:], i)
		reads += len(c.candidates(nil, id))
	}
	if reads > 1000 {
		t.Errorf("%d messages read for 1,000 fresh ids", reads)
	}
	for i := uint64(0); i < manyCommits; i += 99_991 {
		binary.BigEndian.PutUint64(id[8:], i+1)
		id[0] = 0
		found := false
		for _, seq := range c.candidates(nil, id) {
			found = found || seq == aggregate.Sequence(i+1)*2000
		}
		if !found {
			t.Errorf("the commit of id %d is lost", i)
		}
	}
}
