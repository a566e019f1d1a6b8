package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/buntdb"

	"github.com/cloudlysis/aggregate"
)

// shard is one file and the database on it.
type shard struct {
	path string
	log  *slog.Logger

	mu     sync.RWMutex // taken by writers and until the file is read, shared by readers
	db     *buntdb.DB
	closed bool

	budget int64  // bytes of memory
	hand   string // the key from which room is made next; under mu

	count   atomic.Int64
	live    atomic.Int64 // bytes of a file that holds each value once
	memory  atomic.Int64 // bytes held, by estimate
	written atomic.Int64 // unix nanoseconds of the last write
	evicted atomic.Int64
}

// apply counts a change that was committed.
func (s *shard) apply(c *change) {
	s.count.Add(c.count)
	s.live.Add(c.live)
	s.memory.Add(c.memory)
	s.evicted.Add(c.evicted)
}

// newShard makes sure that there is a file that may be written, and gives a shard on which all calls
// wait until load has read it.
func newShard(path string, budget int64, log *slog.Logger) (*shard, error) {
	err := reach(path)
	if err != nil && !errors.Is(err, os.ErrPermission) && os.Remove(path) == nil {
		err = reach(path)
	}
	if err != nil {
		return nil, err
	}
	s := &shard{path: path, budget: budget, log: log}
	s.mu.Lock() // load unlocks it
	return s, nil
}

func reach(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// load reads the file, unless the store is to stop, and begins it anew if it is damaged. It is
// called once.
func (s *shard) load(stop context.Context) {
	defer s.mu.Unlock()
	if stop.Err() != nil {
		s.closed = true
		return
	}
	if err := s.open(); err != nil {
		s.replace(err)
	}
}

func (s *shard) open() (err error) {
	if err := inspect(s.path); err != nil {
		return err
	}
	defer func() { // a file that inspect takes for sound and BuntDB does not
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	db, err := buntdb.Open(s.path)
	if err != nil {
		return err
	}
	// Never: a lost snapshot costs a replay, never an event, and BuntDB would fsync under its
	// one lock. It must not shrink when it likes to either: everybody waits for that.
	if err := db.SetConfig(buntdb.Config{SyncPolicy: buntdb.Never, AutoShrinkDisabled: true}); err != nil {
		return errors.Join(err, db.Close())
	}
	s.count.Store(0)
	s.live.Store(0)
	s.memory.Store(0)
	s.hand = ""
	if err := s.take(db); err != nil {
		return errors.Join(err, db.Close())
	}
	s.db = db
	return nil
}

// take counts what a file holds, and evicts what is beyond the budget: it may have been greater.
func (s *shard) take(db *buntdb.DB) error {
	var c change
	err := db.Update(func(tx *buntdb.Tx) error {
		err := tx.Ascend("", func(k, v string) bool { c.put(k, v); return true })
		if err != nil {
			return err
		}
		return s.makeRoom(tx, &c, "", time.Now())
	})
	if err == nil {
		s.apply(&c)
	}
	return err
}

// anew begins with an empty file. The snapshots in it are lost, which costs replays only.
func (s *shard) anew(cause error) error {
	s.log.Warn("a snapshot file is damaged; it is removed and begun anew, its aggregates are replayed from the log",
		"file", s.path, "error", cause)
	if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		// Windows keeps a file that somebody has open, such as a broken database that nobody may close.
		if os.Truncate(s.path, 0) != nil {
			return err
		}
	}
	return s.open()
}

// sizeOf is what one value takes in the file: "*3 $3 set $n key $m value" with line ends.
func sizeOf(k, v string) int64 { return int64(len(k)+len(v)) + 32 }

// errClosed: the store was closed.
var errClosed = errors.New("the snapshot store is closed")

func (s *shard) view(f func(*buntdb.Tx) error) error {
	s.mu.RLock()
	if !s.closed && s.db != nil {
		defer s.mu.RUnlock()
		return s.db.View(f)
	}
	s.mu.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.again(); err != nil {
		return err
	}
	return s.db.View(f)
}

// again makes sure that there is a database: one that broke and could not be begun anew is tried
// once more, as the reason may be gone. The breaker sees to it that this is not often.
func (s *shard) again() error {
	if s.closed {
		return errClosed
	}
	if s.db != nil {
		return nil
	}
	return s.anew(errDamaged)
}

// update runs f in a transaction that writes. BuntDB panics if a failed write cannot be undone
// (a full disk that then refuses a truncate) and keeps its lock: hence a lock of our own around
// it, so that nobody waits for that one, and the file is begun anew. What f notes in its change
// counts when the transaction does.
func (s *shard) update(f func(*buntdb.Tx, *change) error) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.again(); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file broke: %v", p)
			s.replace(err)
		}
	}()
	var c change
	if err = s.db.Update(func(tx *buntdb.Tx) error { return f(tx, &c) }); err == nil {
		s.written.Store(time.Now().UnixNano())
		s.apply(&c)
	}
	return err
}

// replace puts an empty file in the place of a broken one. The old database is left alone: its
// lock may never come free.
func (s *shard) replace(cause error) {
	s.db = nil
	if err := s.anew(cause); err != nil {
		s.log.Error("a snapshot file cannot be begun anew; its aggregates have no snapshots until that works", "file", s.path, "error", err)
	}
}

// due tells whether the file should shrink now: it is big, at least half of it is old, and
// either nobody writes or it has grown far beyond that.
func (s *shard) due(o *Options, now time.Time) bool {
	size, live := s.fileSize(), max(s.live.Load(), 1)
	if size < o.ShrinkMin || size < 2*live {
		return false
	}
	return size >= 4*live || now.Sub(time.Unix(0, s.written.Load())) >= o.ShrinkIdle
}

func (s *shard) fileSize() int64 {
	fi, err := os.Stat(s.path)
	if err != nil {
		return 0
	}
	return fi.Size()
}

// shrink rewrites the file with the live values only. BuntDB panics if it cannot put the new
// file in place; then the old one is closed and gone.
func (s *shard) shrink() (err error) {
	s.mu.RLock()
	db := s.db
	s.mu.RUnlock()
	if db == nil {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file broke: %v", p)
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.db == db && !s.closed {
				_ = db.Close() // it says that its file is closed already
				s.replace(err)
			}
		}
	}()
	return db.Shrink()
}

func (s *shard) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// storageError puts an error of the database into our terms.
func storageError(err error, what string, key aggregate.Key) error {
	return fmt.Errorf("%w: %s snapshot of %s: %w", aggregate.ErrStorage, what, key, err)
}
