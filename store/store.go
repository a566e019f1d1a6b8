package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/buntdb"

	"github.com/cloudlysis/aggregate"
)

// Options of a [Store]. The zero value is fit for use.
type Options struct {
	// Shards is the number of files; aggregates are spread over them. Another number than before
	// drops all snapshots. 0 is 16.
	Shards int
	// Budget is about how many bytes of memory the snapshots may take: BuntDB holds all of them
	// in memory, and the garbage collector may need as much again. Beyond it those go whose loss
	// costs least. 0 is 256 MiB.
	Budget int64
	// ShrinkMin is the size in bytes from which a file is shrunk when at least half of it is
	// old. 0 is 4 MiB.
	ShrinkMin int64
	// ShrinkIdle is how long nobody may have written to a file before it is shrunk, unless
	// three quarters of it are old. 0 is 10 s.
	ShrinkIdle time.Duration
	// ShrinkEvery is how often files are looked at. 0 is 1 min.
	ShrinkEvery time.Duration
	// Breaker is when files that fail are no longer tried.
	Breaker BreakerOptions
	// Logger gets what operators should know; nil is slog.Default.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Shards <= 0 {
		o.Shards = 16
	}
	if o.Budget <= 0 {
		o.Budget = 256 << 20
	}
	if o.ShrinkMin <= 0 {
		o.ShrinkMin = 4 << 20
	}
	if o.ShrinkIdle <= 0 {
		o.ShrinkIdle = 10 * time.Second
	}
	if o.ShrinkEvery <= 0 {
		o.ShrinkEvery = time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Store keeps snapshots. All methods may be called side by side.
type Store struct {
	opts    Options
	shards  []*shard
	breaker *breaker
	stats   counters
	stop    context.CancelFunc
	reading sync.WaitGroup // of files
	done    sync.WaitGroup
}

type counters struct {
	hits, misses, damaged, puts, conflicts, deletes, errors, shrinks atomic.Int64
}

// Stats are the numbers of a [Store] since it was opened, and its size now.
type Stats struct {
	Snapshots   int64 // kept now
	LiveBytes   int64 // of them
	MemoryBytes int64 // that they take, by estimate; Options.Budget is its bound
	FileBytes   int64 // of all files, old values included

	Hits, Misses, Damaged    int64 // results of Get; a damaged one counts as a miss too
	Puts, Conflicts, Deletes int64
	Errors                   int64 // calls that failed with aggregate.ErrStorage
	Shrinks                  int64
	Evicted                  int64 // to keep within the budget
}

// Open opens the snapshots kept in dir, which it creates when absent. A file that cannot be read
// is removed and begun anew. It does not wait until all files are read; calls wait for the one that
// they need, and Stats counts what has been read. One process at a time may have a directory open.
func Open(dir string, opts Options) (*Store, error) {
	s := &Store{opts: opts.withDefaults(), breaker: newBreaker(opts.Breaker)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: open %s: %w", aggregate.ErrStorage, dir, err)
	}
	if err := s.sweep(dir); err != nil {
		return nil, fmt.Errorf("%w: open %s: %w", aggregate.ErrStorage, dir, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	if err := s.openShards(ctx, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: open %s: %w", aggregate.ErrStorage, dir, err), s.Close())
	}
	s.done.Go(func() { s.maintain(ctx) })
	return s, nil
}

// openShards has the files read side by side, by as many goroutines as there are processors. It does
// not wait for them: to read half a million snapshots takes seconds, in which the node may do
// everything that needs none of them.
func (s *Store) openShards(ctx context.Context, dir string) error {
	unread := make(chan *shard, s.opts.Shards)
	defer close(unread)
	for range min(runtime.GOMAXPROCS(0), s.opts.Shards) {
		s.reading.Go(func() {
			for sh := range unread {
				sh.load(ctx)
			}
		})
	}
	for i := range s.opts.Shards {
		sh, err := newShard(filepath.Join(dir, s.fileName(i)), s.opts.Budget/int64(s.opts.Shards), s.opts.Logger)
		if err != nil {
			return err
		}
		s.shards = append(s.shards, sh)
		unread <- sh
	}
	return nil
}

func (s *Store) fileName(i int) string {
	return fmt.Sprintf("snapshots-k%02d-of-%02d.db", i, s.opts.Shards)
}

// sweep removes files of another layout, whose aggregates would be looked for elsewhere,
// and what a shrink that was cut off has left.
func (s *Store) sweep(dir string) error {
	found, err := filepath.Glob(filepath.Join(dir, "snapshots-*-of-*.db*"))
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for i := range s.opts.Shards {
		keep[s.fileName(i)] = true
	}
	for _, path := range found {
		if keep[filepath.Base(path)] {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		s.opts.Logger.Info("a snapshot file of another layout was removed", "file", path)
	}
	return nil
}

// shardOf spreads aggregates evenly, however many or few tenants they are of.
func (s *Store) shardOf(name string) *shard {
	h := fnv.New32a()
	_, _ = io.WriteString(h, name)
	return s.shards[int(h.Sum32()%uint32(len(s.shards)))]
}

// view and update are the ways to a file; the breaker stands before both.
func (s *Store) view(sh *shard, f func(*buntdb.Tx) error) error {
	return s.breaker.guard(func() error { return sh.view(f) })
}

func (s *Store) update(sh *shard, f func(*buntdb.Tx, *change) error) error {
	return s.breaker.guard(func() error { return sh.update(f) })
}

// Get gives the snapshot of key, or nil when there is none or it cannot be read. The caller owns
// it. The error matches aggregate.ErrStorage; a caller may go on without a snapshot.
func (s *Store) Get(key aggregate.Key) (*aggregate.Snapshot, error) {
	name := key.String()
	var value []byte
	err := s.view(s.shardOf(name), func(tx *buntdb.Tx) error {
		v, err := tx.Get(name)
		value = []byte(v)
		return err
	})
	if errors.Is(err, buntdb.ErrNotFound) {
		s.stats.misses.Add(1)
		return nil, nil
	}
	if err != nil {
		s.stats.errors.Add(1)
		return nil, storageError(err, "get", key)
	}
	snap, err := decode(key, name, value)
	if err != nil {
		s.stats.damaged.Add(1)
		s.stats.misses.Add(1)
		s.opts.Logger.Warn("a snapshot is damaged; the aggregate is replayed from the log", "aggregate", name)
		return nil, nil
	}
	s.stats.hits.Add(1)
	return snap, nil
}

// Put keeps snap unless one of the same or a later place is kept already: then the error is an
// aggregate.VersionConflictError, which matches aggregate.ErrConflict. Of two with one version the
// later one is that with the greater sequence: commits without events came in between. A damaged
// one is replaced.
func (s *Store) Put(snap *aggregate.Snapshot) error {
	key := snap.Key()
	name := key.String()
	if err := check(key); err != nil {
		return storageError(err, "put", key)
	}
	value, err := encode(make([]byte, 0, 192+len(snap.State)+len(snap.Commands)), name, snap)
	if err != nil {
		return storageError(err, "put", key)
	}
	sh := s.shardOf(name)
	text := string(value)
	err = s.update(sh, func(tx *buntdb.Tx, c *change) error {
		if v, err := tx.Get(name); err == nil {
			have, at, err := placeOf(name, []byte(v))
			if err == nil && (have > snap.Version || have == snap.Version && at >= snap.Mark.Sequence) {
				return &aggregate.VersionConflictError{Expected: snap.Version, Actual: have}
			}
		}
		old, had, err := tx.Set(name, text, nil)
		if err != nil {
			return err
		}
		if had {
			c.drop(name, old)
		}
		c.put(name, text)
		return sh.makeRoom(tx, c, name, time.Now())
	})
	var conflict *aggregate.VersionConflictError
	if errors.As(err, &conflict) {
		s.stats.conflicts.Add(1)
		return fmt.Errorf("put snapshot of %s: %w", key, conflict)
	}
	if err != nil {
		s.stats.errors.Add(1)
		return storageError(err, "put", key)
	}
	s.stats.puts.Add(1)
	return nil
}

// check refuses keys whose text another aggregate's key could have.
func check(key aggregate.Key) error {
	if _, err := aggregate.ParseTenantID(string(key.Tenant)); err != nil {
		return err
	}
	_, err := aggregate.ParseType(string(key.Type))
	return err
}

// Delete drops the snapshot of key, of its tenant only; an absent one is no error.
func (s *Store) Delete(key aggregate.Key) error {
	name := key.String()
	err := s.update(s.shardOf(name), func(tx *buntdb.Tx, c *change) error {
		old, err := tx.Delete(name)
		if err == nil {
			c.drop(name, old)
		}
		return err
	})
	if errors.Is(err, buntdb.ErrNotFound) {
		return nil
	}
	if err != nil {
		s.stats.errors.Add(1)
		return storageError(err, "delete", key)
	}
	s.stats.deletes.Add(1)
	return nil
}

// DeleteTenant drops all snapshots of one tenant and tells how many there were, also with an error.
func (s *Store) DeleteTenant(tenant aggregate.TenantID) (int, error) {
	if _, err := aggregate.ParseTenantID(string(tenant)); err != nil {
		return 0, fmt.Errorf("%w: drop snapshots of tenant %q: %w", aggregate.ErrStorage, string(tenant), err)
	}
	n := 0
	for _, sh := range s.shards {
		dropped, err := s.deleteTenant(sh, tenant)
		n += dropped
		if err != nil {
			s.stats.errors.Add(1)
			return n, fmt.Errorf("%w: drop snapshots of tenant %q: %w", aggregate.ErrStorage, string(tenant), err)
		}
	}
	return n, nil
}

func (s *Store) deleteTenant(sh *shard, tenant aggregate.TenantID) (n int, err error) {
	prefix := tenant.Token() + "/"
	err = s.update(sh, func(tx *buntdb.Tx, c *change) error {
		var names []string
		err := tx.AscendRange("", prefix, tenant.Token()+"0", func(k, v string) bool { // '0' comes after '/'
			names = append(names, k)
			c.drop(k, v)
			return true
		})
		for i := 0; i < len(names) && err == nil; i++ {
			_, err = tx.Delete(names[i])
		}
		n = len(names)
		return err
	})
	if err != nil {
		return 0, err
	}
	s.stats.deletes.Add(int64(n))
	return n, nil
}

// Count is the number of snapshots kept. It waits until all files have been read.
func (s *Store) Count() int {
	s.reading.Wait()
	n := 0
	for _, sh := range s.shards {
		n += int(sh.count.Load())
	}
	return n
}

// Stats gives the numbers for metrics.
func (s *Store) Stats() Stats {
	c := &s.stats
	st := Stats{Hits: c.hits.Load(), Misses: c.misses.Load(), Damaged: c.damaged.Load(), Puts: c.puts.Load(),
		Conflicts: c.conflicts.Load(), Deletes: c.deletes.Load(), Errors: c.errors.Load(), Shrinks: c.shrinks.Load()}
	for _, sh := range s.shards {
		st.Snapshots += sh.count.Load()
		st.LiveBytes += sh.live.Load()
		st.MemoryBytes += sh.memory.Load()
		st.Evicted += sh.evicted.Load()
		st.FileBytes += sh.fileSize()
	}
	return st
}

// maintain shrinks files, one at a time, until ctx ends.
func (s *Store) maintain(ctx context.Context) {
	t := time.NewTicker(s.opts.ShrinkEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for _, sh := range s.shards {
			if ctx.Err() == nil && sh.due(&s.opts, time.Now()) {
				s.shrink(sh)
			}
		}
	}
}

func (s *Store) shrink(sh *shard) {
	before := sh.fileSize()
	err := sh.shrink()
	if errors.Is(err, buntdb.ErrDatabaseClosed) {
		return
	}
	if err != nil {
		s.stats.errors.Add(1)
		s.opts.Logger.Warn("a snapshot file could not be shrunk", "file", sh.path, "error", err)
		return
	}
	s.stats.shrinks.Add(1)
	s.opts.Logger.Debug("a snapshot file was shrunk", "file", sh.path, "before", before, "after", sh.fileSize())
}

// Close closes the files, which ends a shrink under way. Later calls fail with aggregate.ErrStorage.
func (s *Store) Close() error {
	s.stop()
	err := s.closeShards()
	s.reading.Wait()
	s.done.Wait()
	if err != nil {
		return fmt.Errorf("%w: close: %w", aggregate.ErrStorage, err)
	}
	return nil
}

func (s *Store) closeShards() error {
	var errs []error
	for _, sh := range s.shards {
		errs = append(errs, sh.close())
	}
	return errors.Join(errs...)
}
