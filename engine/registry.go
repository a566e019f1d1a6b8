package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudlysis/aggregate"
)

const shardCount = 64

// registry finds the owner of a key. Each shard also keeps its owners in the order of their
// last use, the latest first, exact to a grain.
type registry struct {
	shards [shardCount]shard
	live   atomic.Int64
}

type shard struct {
	mu          sync.Mutex
	owners      map[aggregate.Key]*owner
	first, last *owner // by use
	grain       time.Duration
}

// maxGrain is how exact the order of use is at least: an owner that was moved to the front that
// short ago stays where it is. To move one touches three others, which is dear when they are cold.
const maxGrain = time.Second

func (g *registry) init(idleAfter time.Duration) {
	for i := range g.shards {
		g.shards[i] = shard{owners: make(map[aggregate.Key]*owner), grain: min(maxGrain, idleAfter/64)}
	}
}

func (g *registry) shard(key aggregate.Key) *shard {
	return &g.shards[hashID(key.ID)%shardCount]
}

// find gives the owner of key, made by create if there is none; both happen under the
// shard's lock, so that there is never more than one.
func (s *shard) find(key aggregate.Key, now time.Duration, create func() (*owner, error)) (*owner, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.owners[key]
	if o == nil {
		var err error
		if o, err = create(); err != nil {
			return nil, err
		}
		s.owners[key] = o
		s.pushFront(o)
		o.placed = now
	} else if now-o.placed > s.grain {
		o.placed = now
		if s.first != o {
			s.unlink(o)
			s.pushFront(o)
		}
	}
	o.lastUsed = now
	return o, nil
}

func (s *shard) pushFront(o *owner) {
	o.newer, o.older = nil, s.first
	if s.first != nil {
		s.first.newer = o
	}
	s.first = o
	if s.last == nil {
		s.last = o
	}
}

func (s *shard) unlink(o *owner) {
	if o.newer != nil {
		o.newer.older = o.older
	} else {
		s.first = o.older
	}
	if o.older != nil {
		o.older.newer = o.newer
	} else {
		s.last = o.newer
	}
	o.newer, o.older = nil, nil
}

// remove takes o out if nothing waits for it, closing its mailbox in the same step: who comes
// with a request afterwards finds it closed and looks up again.
func (s *shard) remove(o *owner) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.box.mu.Lock()
	defer o.box.mu.Unlock()
	if len(o.box.q) > 0 {
		return false
	}
	o.box.closed = true
	delete(s.owners, o.key)
	s.unlink(o)
	return true
}

// idle gives owners that were not used since before, at most limit, the longest unused first.
func (s *shard) idle(before time.Duration, limit int) (out []*owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for o := s.last; o != nil && len(out) < limit && o.lastUsed < before; o = o.newer {
		out = append(out, o)
	}
	return out
}

// all gives the owners for which is holds; it is called under their shards' locks.
func (g *registry) all(is func(*owner) bool) (out []*owner) {
	for i := range g.shards {
		s := &g.shards[i]
		s.mu.Lock()
		for _, o := range s.owners {
			if is(o) {
				out = append(out, o)
			}
		}
		s.mu.Unlock()
	}
	return out
}

func every(*owner) bool { return true }
