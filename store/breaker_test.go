//go:build linux

package store

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidwall/buntdb"

	"github.com/cloudlysis/aggregate"
)

// fullDisk puts /dev/full in the place of the open file, so that the kernel refuses every write to
// it with ENOSPC, and gives what puts the file back.
func fullDisk(t testing.TB, path string) (repair func()) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || to != path {
			continue
		}
		fd, err := strconv.Atoi(e.Name())
		must(t, err)
		full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
		must(t, err)
		defer full.Close()
		must(t, unix.Dup3(int(full.Fd()), fd, unix.O_CLOEXEC))
		return func() {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			must(t, err)
			defer f.Close()
			must(t, unix.Dup3(int(f.Fd()), fd, unix.O_CLOEXEC))
			_, err = unix.Seek(fd, 0, io.SeekEnd)
			must(t, err)
		}
	}
	t.Fatalf("no descriptor of %s is open", path)
	return nil
}

// A file that cannot be written: the circuit opens after a number of failures, a probe finds it
// still broken, another one finds it mended, and what was there before is there still.
func TestT4_2BreakerOfTheStore(t *testing.T) { // seed 4.2
	synctest.Test(t, testBreakerOfTheStore)
}

func testBreakerOfTheStore(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	var heard []string
	const openFor = 200 * time.Millisecond
	s, err := Open(dir, Options{Shards: 1, Logger: slog.New(slog.DiscardHandler),
		Breaker: BreakerOptions{Failures: 3, OpenFor: openFor, OnChange: func(_, to string) { heard = append(heard, to) }}})
	must(t, err)
	defer time.Sleep(2 * time.Second) // BuntDB's goroutine looks every second whether it is closed
	defer s.Close()
	kept := sample("a", 1)
	must(t, s.Put(kept))
	repair := fullDisk(t, filepath.Join(dir, s.fileName(0)))
	next := *kept
	next.Version, next.Mark.Version = 2, 2
	for i := range 3 {
		if s.Breaker() != "closed" {
			t.Fatalf("open after %d failures", i)
		}
		if err := s.Put(&next); !errors.Is(err, aggregate.ErrStorage) || !errors.Is(err, unix.ENOSPC) {
			t.Fatalf("got %v, want what the kernel says", err)
		}
	}
	if s.Breaker() != "open" {
		t.Fatalf("after three failures: got %s", s.Breaker())
	}
	_, err = s.Get(kept.Key())
	var u *aggregate.UnavailableError
	if !errors.As(err, &u) || !errors.Is(err, aggregate.ErrStorage) || u.RetryAfter <= 0 {
		t.Errorf("an open circuit: got %v", err)
	}
	time.Sleep(openFor + 20*time.Millisecond)
	if s.Breaker() != "half_open" {
		t.Errorf("after its time: got %s", s.Breaker())
	}
	if err := s.Put(&next); !errors.Is(err, unix.ENOSPC) || s.Breaker() != "open" {
		t.Errorf("a probe that fails: got %v, %s", err, s.Breaker())
	}
	repair()
	time.Sleep(openFor + 20*time.Millisecond)
	must(t, s.Put(&next))
	if s.Breaker() != "closed" {
		t.Errorf("a probe that goes well: got %s", s.Breaker())
	}
	if got := get(t, s, next.Key()); got == nil || got.Version != 2 {
		t.Errorf("got %+v", got)
	}
	if want := []string{"open", "half_open", "open", "half_open", "closed"}; !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
}

// A file that broke and cannot be begun anew is tried again by the probe.
func TestT4_2BrokenFileComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "snapshots")
	const openFor = 50 * time.Millisecond
	opened := make(chan time.Time, 9)
	s, err := Open(dir, Options{Shards: 1, Logger: slog.New(slog.DiscardHandler), Breaker: BreakerOptions{Failures: 2, OpenFor: openFor, OnChange: func(_, to string) {
		if to == "open" {
			opened <- time.Now()
		}
	}}})
	must(t, err)
	defer s.Close()
	must(t, os.RemoveAll(dir)) // nowhere to begin anew
	if err := s.shards[0].update(func(*buntdb.Tx, *change) error { panic("disk full") }); err == nil {
		t.Fatal("a panic is no success")
	}
	snap := sample("a", 1)
	for range 2 {
		if err := s.Put(snap); !errors.Is(err, aggregate.ErrStorage) {
			t.Errorf("got %v", err)
		}
	}
	if len(opened) != 1 {
		t.Fatalf("it has opened %d times", len(opened))
	}
	must(t, os.Mkdir(dir, 0o700))
	time.Sleep(time.Until((<-opened).Add(openFor + 10*time.Millisecond)))
	if _, err := s.Get(snap.Key()); err != nil || s.Breaker() != "closed" {
		t.Errorf("the probe: got %v, %s", err, s.Breaker())
	}
	must(t, s.Put(snap))
}

// Absent snapshots and conflicts of versions are answers.
func TestT4_2AnswersAreNoFailures(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{Breaker: BreakerOptions{Failures: 1}})
	snap := sample("a", 5)
	must(t, s.Put(snap))
	for i := range 3 {
		if err := s.Put(snap); !errors.Is(err, aggregate.ErrConflict) {
			t.Errorf("got %v", err)
		}
		if got := get(t, s, aggregate.Key{Tenant: "a", Type: "Account", ID: aggregate.ID{byte(i + 1)}}); got != nil {
			t.Errorf("got %+v", got)
		}
		must(t, s.Delete(aggregate.Key{Tenant: "a", Type: "Account", ID: aggregate.ID{9}}))
	}
	if got := s.Breaker(); got != "closed" {
		t.Errorf("got %s", got)
	}
}
