package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/tidwall/buntdb"

	"github.com/cloudlysis/aggregate"
)

// overhead is what BuntDB's tree, the item and the two allocations of a value take beside the bytes
// of key and value: measured 105 B with a million snapshots.
const overhead = 112

// memoryOf is what a value takes in memory.
func memoryOf(k, v string) int64 { return int64(len(k)+len(v)) + overhead }

// How many snapshots are looked at to make room, and one of how many goes, needed or not: a look at
// 64 costs 30 µs, so only every eighth Put pays for it.
const (
	roomSample = 64
	roomShare  = 8
)

// change is what a transaction does to the counts of its file.
type change struct{ count, live, memory, evicted int64 }

func (c *change) put(k, v string) {
	c.count++
	c.live += sizeOf(k, v)
	c.memory += memoryOf(k, v)
}

func (c *change) drop(k, v string) {
	c.count--
	c.live -= sizeOf(k, v)
	c.memory -= memoryOf(k, v)
}

// makeRoom evicts until what is held is within the budget; keep, which is about to be used, stays in
// any case. A hand goes round all keys: among those that come next, the ones go whose loss costs
// least. A snapshot is worth the events that its loss would replay, and the less the longer nobody
// wrote it and the more room it takes ("hyperbolic caching", Blankstein et al. 2017): so neither does
// an aggregate that was once busy stay for ever, nor does one that is busy now leave for newcomers.
// It needs no memory of its own for each snapshot.
func (s *shard) makeRoom(tx *buntdb.Tx, c *change, keep string, now time.Time) error {
	over := func() bool { return s.memory.Load()+c.memory > s.budget }
	for ends := 0; over() && ends < 2; { // two ends without a find: only keep is left
		sample, end, err := s.sample(tx, keep, now)
		if err != nil {
			return err
		}
		if end {
			ends++
		}
		for _, one := range sample[:(len(sample)+roomShare-1)/roomShare] {
			if _, err := tx.Delete(one.key); err != nil {
				return err
			}
			c.drop(one.key, one.value)
			c.evicted++
			ends = 0
		}
	}
	return nil
}

// candidate is a snapshot that may have to go.
type candidate struct {
	key, value string
	worth      float64
}

// sample moves the hand on and gives the snapshots that it passes, those of least worth first. It
// tells whether the hand has come to the end and begins anew.
func (s *shard) sample(tx *buntdb.Tx, keep string, now time.Time) (found []candidate, end bool, err error) {
	end = true
	from := s.hand
	s.hand = ""
	err = tx.AscendGreaterOrEqual("", from, func(k, v string) bool {
		if len(found) == roomSample {
			s.hand, end = k, false
			return false
		}
		if k != keep {
			found = append(found, candidate{k, v, worth(v, now)})
		}
		return true
	})
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Compare(a.worth, b.worth) })
	return found, end, err
}

// worth is how many events a byte of the value spares a load, over the seconds since it was written.
// A damaged one is worth nothing.
func worth(v string, now time.Time) float64 {
	version, created, ok := peek(v)
	if !ok {
		return 0
	}
	age := max(now.Sub(created).Seconds(), 0) + 1
	return float64(version) / age / float64(len(v)+overhead)
}

// peek reads version and time of making of a value, without a look at its checksum.
func peek(v string) (version aggregate.Version, created time.Time, ok bool) {
	const head = sha256.Size + 1
	if len(v) <= head || v[head-1] != format {
		return 0, created, false
	}
	r := reader{b: []byte(v[head:min(len(v), head+peekBytes)])}
	version = aggregate.Version(r.uint())
	r.uint()
	r.uint()
	r.take(sha256.Size)
	for n := min(r.uint(), aggregate.MarkBefore); n > 0; n-- {
		r.uint()
	}
	created = r.time()
	return version, created, !r.bad
}

// peekBytes is enough for all that stands before the state: six numbers and MarkBefore more, a hash
// and a time.
const peekBytes = (4+aggregate.MarkBefore)*binary.MaxVarintLen64 + sha256.Size + 32
