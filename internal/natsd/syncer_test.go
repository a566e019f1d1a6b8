package natsd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestWaitersShareRounds(t *testing.T) {
	const waiters = 200
	synctest.Test(t, func(t *testing.T) {
		s := startSyncer(func() error { time.Sleep(time.Millisecond); return nil }, func(error) {})
		var wg sync.WaitGroup
		for range waiters {
			wg.Go(func() {
				if err := s.Wait(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := s.rounds.Load(); got > 2 {
			t.Errorf("got %d rounds for %d waiters at once, want 1 or 2", got, waiters)
		}
		s.stop()
	})
}

// Whoever comes while a round runs is served by the next, even if the running one ends well.
func TestRoundBegunBeforeDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSyncer(func() error { time.Sleep(time.Second); return nil }, func(error) {})
		began := time.Now()
		go func() { _ = s.Wait(t.Context()) }()
		time.Sleep(time.Second / 2)
		if err := s.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(began); got != 2*time.Second {
			t.Errorf("got %s, want the end of the second round at 2s", got)
		}
		s.stop()
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSyncer(func() error { time.Sleep(time.Hour); return nil }, func(error) {})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrSync) {
			t.Errorf("got %v, want the deadline", err)
		}
		s.stop()
	})
}

func TestStopServesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startSyncer(func() error { time.Sleep(time.Second); return nil }, func(error) {})
		results := make(chan error, 2)
		for range 2 {
			go func() { results <- s.Wait(t.Context()) }()
			time.Sleep(time.Millisecond) // the second one needs the second round
		}
		s.stop()
		for range 2 {
			if err := <-results; err != nil {
				t.Errorf("got %v, want served", err)
			}
		}
		if err := s.Wait(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("after stop: got %v, want ErrClosed", err)
		}
	})
}

func TestFailureIsForAllAndForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fatal, syncs atomic.Int64
		s := startSyncer(func() error {
			time.Sleep(time.Second)
			if syncs.Add(1) == 1 {
				return syncError("fsync", "1.blk", syscall.EIO)
			}
			return nil // a later success proves nothing
		}, func(error) { fatal.Add(1) })
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Second / 6) // in the first round, while it runs, after it
				if err := s.Wait(t.Context()); !errors.Is(err, ErrSync) || !errors.Is(err, syscall.EIO) {
					t.Errorf("waiter %d: got %v, want ErrSync and EIO", i, err)
				}
			})
		}
		wg.Wait()
		s.fail(errors.New("another"))
		synctest.Wait()
		if fatal.Load() != 1 || syncs.Load() != 1 {
			t.Errorf("got %d calls of fatal and %d syncs, want 1 and 1", fatal.Load(), syncs.Load())
		}
		s.stop()
	})
}

// The same with the real server: the disk fails under it.
func TestServerDiskFails(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(d *disk, broken *atomic.Bool)
	}{
		{"fsync", func(d *disk, broken *atomic.Bool) {
			real := d.fsync
			d.fsync = func(f *os.File) error {
				if broken.Load() {
					return syscall.EIO
				}
				return real(f)
			}
		}},
		{"syncfs", func(d *disk, broken *atomic.Bool) {
			real := d.syncfs
			d.streams = func(string) string { return "/nonexistent" }
			d.syncfs = func(f *os.File) error {
				if broken.Load() {
					return syscall.EIO
				}
				return real(f)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var broken atomic.Bool
			d := withSyncfs()
			c.fail(&d, &broken)
			fatal := make(chan error, 8)
			s := startTest(t, Options{Dir: t.TempDir(), Fatal: func(err error) { fatal <- err }}, d)
			js := makeStream(t, s, "S")
			_, err := js.Publish(t.Context(), "S.a", []byte("x"))
			must(t, err)
			must(t, s.Syncer().Wait(t.Context()))
			time.Sleep(2 * settled) // the first rounds after a new stream sync the whole file system
			must(t, s.Syncer().Wait(t.Context()))

			broken.Store(true)
			_, err = js.Publish(t.Context(), "S.a", []byte("y"))
			must(t, err)
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if err := s.Syncer().Wait(t.Context()); !errors.Is(err, ErrSync) || !errors.Is(err, syscall.EIO) {
						t.Errorf("got %v, want ErrSync and EIO", err)
					}
				})
			}
			wg.Wait()
			broken.Store(false)
			if err := s.Syncer().Wait(t.Context()); !errors.Is(err, ErrSync) {
				t.Errorf("after the disk came back: got %v, want ErrSync", err)
			}
			if err := <-fatal; !errors.Is(err, syscall.EIO) {
				t.Errorf("Fatal got %v, want EIO", err)
			}
			s.Shutdown()
			if len(fatal) != 0 {
				t.Errorf("Fatal was called %d times more", len(fatal))
			}
		})
	}
}

// A failed SyncTree is as final as a failed round.
func TestSyncTreeFails(t *testing.T) {
	var broken atomic.Bool
	d := withSyncfs()
	real := d.syncfs
	d.syncfs = func(f *os.File) error {
		if broken.Load() {
			return syscall.ENOSPC
		}
		return real(f)
	}
	fatal := make(chan error, 1)
	s := startTest(t, Options{Dir: t.TempDir(), Fatal: func(err error) { fatal <- err }}, d)
	broken.Store(true)
	if err := s.SyncTree(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want ENOSPC", err)
	}
	if err := s.Syncer().Wait(t.Context()); !errors.Is(err, ErrSync) {
		t.Errorf("Wait: got %v, want ErrSync", err)
	}
	<-fatal
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.SyncTree(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// However fast the disk is: a sync takes until all callers wait for it or for the next one.
func TestServerWaitersShareSyncs(t *testing.T) {
	const callers, each = 64, 20
	var active, waiting atomic.Int64
	gathered := func(sync func(*os.File) error) func(*os.File) error {
		return func(f *os.File) error {
			for waiting.Load() < active.Load() {
				time.Sleep(100 * time.Microsecond)
			}
			return sync(f)
		}
	}
	d := realDisk()
	d.fsync, d.syncfs = gathered(d.fsync), gathered(d.syncfs)
	s := startTest(t, Options{Dir: t.TempDir()}, d)
	js := makeStream(t, s, "S")
	before := s.syncer.rounds.Load()
	active.Store(callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			defer active.Add(-1)
			for range each {
				if _, err := js.Publish(t.Context(), fmt.Sprintf("S.%d", i), []byte("x")); err != nil {
					t.Error(err)
				}
				waiting.Add(1)
				err := s.Syncer().Wait(t.Context())
				waiting.Add(-1)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := s.syncer.rounds.Load() - before; got > callers*each/8 {
		t.Errorf("got %d rounds for %d waits of %d callers, want about two for all of them", got, callers*each, callers)
	}
}

// fakeStreams is a folder of streams whose files the test writes itself, and a disk that notes what is synced.
type fakeStreams struct {
	t      *testing.T
	root   string
	b      *blocks
	synced []string // paths below root, "*" for syncfs
}

func newFakeStreams(t *testing.T, withFS bool) *fakeStreams {
	store := t.TempDir()
	f := &fakeStreams{t: t, root: filepath.Join(store, "jetstream", "streams")}
	d := disk{
		fsync:   func(g *os.File) error { f.note(g.Name()); return nil },
		syncfs:  func(*os.File) error { f.synced = append(f.synced, "*"); return nil },
		streams: func(store string) string { return filepath.Join(store, "jetstream", "streams") },
	}
	var fs *os.File
	if withFS {
		fs = os.Stdin // never used by this disk
	}
	f.b = newBlocks(d, store, fs)
	t.Cleanup(f.b.close)
	return f
}

func (f *fakeStreams) note(path string) {
	rel, err := filepath.Rel(f.root, path)
	must(f.t, err)
	f.synced = append(f.synced, filepath.ToSlash(rel))
}

func (f *fakeStreams) write(stream string, number int) { fakeBlock(f.t, f.root, stream, number) }

// fakeBlock appends to a block file, making it and its folders when absent.
func fakeBlock(t testing.TB, root, stream string, number int) {
	t.Helper()
	dir := filepath.Join(root, stream, "msgs")
	must(t, os.MkdirAll(dir, 0o700))
	g, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("%d.blk", number)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(t, err)
	defer g.Close()
	_, err = g.WriteString("message")
	must(t, err)
}

// round runs one round and returns what it synced.
func (f *fakeStreams) round() []string {
	f.t.Helper()
	f.synced = nil
	must(f.t, f.b.round())
	return f.synced
}

func (f *fakeStreams) prime() {
	must(f.t, f.b.prime(func() error { return nil }))
	time.Sleep(settled + 20*time.Millisecond)
	must(f.t, f.b.round()) // folders are settled from here on
}

func (f *fakeStreams) open() (n int) {
	for _, s := range f.b.streams {
		for _, k := range s.blocks {
			if k.file != nil {
				n++
			}
		}
	}
	return n
}

func TestRoundSyncsWhatChanged(t *testing.T) {
	f := newFakeStreams(t, true)
	f.write("A", 9)
	f.write("A", 10)
	f.write("B", 1)
	f.prime()
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: synced %v, want %v", what, got, want)
		}
	}
	check("nothing written", f.round())
	f.write("A", 10)
	check("newest block grown", f.round(), "A/msgs/10.blk")
	check("again", f.round())
	f.write("A", 11)
	check("new block", f.round(), "A/msgs/11.blk", "A/msgs")
	if got := f.open(); got != 2 {
		t.Errorf("got %d open blocks, want A/11 and B/1: A/10 is synced and has a successor", got)
	}
	f.write("A", 11)
	f.write("A", 12)
	f.write("B", 1)
	check("three changed", f.round(), "*")
	check("after it", f.round())
	f.write("C", 1)
	check("new stream", f.round(), "*")
	must(t, os.RemoveAll(filepath.Join(f.root, "A")))
	f.round()
	if got := f.open(); got != 2 {
		t.Errorf("after a stream is gone: got %d open blocks, want those of B and C", got)
	}
}

func TestRoundWithoutSyncfs(t *testing.T) {
	f := newFakeStreams(t, false)
	f.write("A", 1)
	f.prime()
	f.write("B", 1)
	got := f.round()
	for _, want := range []string{"B/msgs/1.blk", "B/msgs", "B", ".", "..", "../.."} {
		if !slices.Contains(got, want) {
			t.Errorf("new stream: synced %v, want also %s", got, want)
		}
	}
	time.Sleep(settled + 20*time.Millisecond)
	f.round()
	f.write("A", 2)
	f.write("A", 3)
	f.write("B", 1)
	got = f.round()
	for _, want := range []string{"A/msgs/2.blk", "A/msgs/3.blk", "A/msgs", "B/msgs/1.blk"} {
		if !slices.Contains(got, want) {
			t.Errorf("many: synced %v, want also %s", got, want)
		}
	}
}

// A block replaced under its name (the server compacts by rename) is another file.
func TestReplacedBlockIsSynced(t *testing.T) {
	f := newFakeStreams(t, true)
	f.write("A", 1)
	f.write("A", 2)
	f.prime()
	dir := filepath.Join(f.root, "A", "msgs")
	must(t, os.WriteFile(filepath.Join(dir, "1.new"), []byte("message"), 0o600))
	must(t, os.Rename(filepath.Join(dir, "1.new"), filepath.Join(dir, "1.blk")))
	if got := f.round(); fmt.Sprint(got) != "[A/msgs/1.blk A/msgs]" {
		t.Errorf("synced %v, want the block and its folder", got)
	}
}

// Changes within one tick of the kernel's clock after a listing are seen all the same.
func TestNewBlocksInQuickSuccession(t *testing.T) {
	f := newFakeStreams(t, true)
	f.write("A", 1)
	f.prime()
	for n := 2; n < 200; n++ {
		f.write("A", n)
		got := f.round()
		if want := fmt.Sprintf("A/msgs/%d.blk", n); !slices.Contains(got, want) && !slices.Contains(got, "*") {
			t.Fatalf("synced %v, want %s", got, want)
		}
	}
	if got := f.open(); got > 2 {
		t.Errorf("got %d open blocks, want the last two at most", got)
	}
}

// A folder that cannot be listed may hide what was acknowledged: no round over it succeeds.
func TestUnreadableFolderFails(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege")
	}
	f := newFakeStreams(t, true)
	f.write("A", 1)
	f.prime()
	must(t, os.Remove(filepath.Join(f.root, "A", "msgs", "1.blk")))
	must(t, os.Remove(filepath.Join(f.root, "A", "msgs")))
	must(t, os.Symlink("msgs", filepath.Join(f.root, "A", "msgs"))) // a loop
	if err := f.b.round(); !errors.Is(err, ErrSync) {
		t.Errorf("got %v, want ErrSync", err)
	}
}

func TestBlockNumber(t *testing.T) {
	for _, c := range []struct {
		name string
		want uint64
		ok   bool
	}{{"1.blk", 1, true}, {"12500.blk", 12500, true}, {"1.new", 0, false}, {"index.db", 0, false}, {".blk", 0, false}, {"-1.blk", 0, false}, {"x.blk", 0, false}} {
		if n, ok := blockNumber(c.name); ok != c.ok || ok && n != c.want {
			t.Errorf("%s: got %d %v, want %d %v", c.name, n, ok, c.want, c.ok)
		}
	}
}
