package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/buntdb"
	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate"
)

func openStore(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.reading.Wait() // so that counts are whole
	return s
}

func sample(tenant aggregate.TenantID, version aggregate.Version) *aggregate.Snapshot {
	at := time.Date(2026, 11, 24, 10, 0, 0, 123456789, time.UTC)
	return &aggregate.Snapshot{TenantID: tenant, AggregateType: "Account", AggregateID: aggregate.NewID(), Version: version,
		State: json.RawMessage(`{"balance":12.50, "holds":[]}`), CreatedAt: at, UpdatedAt: at.Add(-time.Second),
		Mark:        aggregate.Mark{Version: version, Sequence: 77, Hash: [32]byte{1, 2, 3}, Stream: "AGGREGATE_EVENTS@2026-01-01T00:00:00Z"},
		Fingerprint: "f1", Commands: []byte{0, 1, 255}}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, s *Store, key aggregate.Key) *aggregate.Snapshot {
	t.Helper()
	snap, err := s.Get(key)
	must(t, err)
	return snap
}

func TestStoreAndRetrieveSnapshotWithTenant(t *testing.T) { // seed T4.1
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	want := sample("tenant-a", 7)
	must(t, s.Put(want))
	if got := get(t, s, want.Key()); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	must(t, s.Close())
	s = openStore(t, dir, Options{}) // and after a restart
	if got := get(t, s, want.Key()); !reflect.DeepEqual(got, want) || s.Count() != 1 {
		t.Errorf("after a restart: got %+v of %d, want %+v", got, s.Count(), want)
	}
}

func TestVersionConflictOnDuplicateVersion(t *testing.T) { // seed T4.2
	s := openStore(t, t.TempDir(), Options{})
	snap := sample("tenant-a", 7)
	must(t, s.Put(snap))
	for _, v := range []aggregate.Version{7, 6, 0} {
		old := *snap
		old.Version = v
		old.State = json.RawMessage(`{}`)
		err := s.Put(&old)
		var conflict *aggregate.VersionConflictError
		if !errors.Is(err, aggregate.ErrConflict) || !errors.As(err, &conflict) || conflict.Actual != 7 || conflict.Expected != v {
			t.Errorf("version %d: got %v, want a VersionConflictError", v, err)
		}
	}
	if got := get(t, s, snap.Key()); !reflect.DeepEqual(got, snap) {
		t.Errorf("got %+v", got)
	}
	newer := *snap
	newer.Version = 8
	must(t, s.Put(&newer))
	if got := get(t, s, snap.Key()); got.Version != 8 {
		t.Errorf("got version %d", got.Version)
	}
	// A rebuild drops first; then an older version is welcome.
	must(t, s.Delete(snap.Key()))
	must(t, s.Put(snap))
	if st := s.Stats(); st.Conflicts != 3 || st.Puts != 3 || st.Deletes != 1 || st.Hits != 2 || st.Snapshots != 1 {
		t.Errorf("got %+v", st)
	}
}

// Commits without events move the place on and not the version: their command ids are news.
func TestSameVersionAtALaterPlace(t *testing.T) {
	for _, version := range []aggregate.Version{0, 7} {
		s := openStore(t, t.TempDir(), Options{})
		snap := sample("tenant-a", version)
		must(t, s.Put(snap))
		later := *snap
		later.Mark.Sequence, later.Commands = 78, []byte("more")
		must(t, s.Put(&later))
		for _, seq := range []aggregate.Sequence{78, 77} {
			again := later
			again.Mark.Sequence = seq
			if err := s.Put(&again); !errors.Is(err, aggregate.ErrConflict) {
				t.Errorf("sequence %d: got %v, want a conflict", seq, err)
			}
		}
		if got := get(t, s, snap.Key()); !reflect.DeepEqual(got, &later) {
			t.Errorf("got %+v", got)
		}
		if st := s.Stats(); st.Snapshots != 1 || st.Puts != 2 || st.Conflicts != 2 {
			t.Errorf("got %+v", st)
		}
	}
}

func TestNoneForAbsentAggregate(t *testing.T) { // seed T4.3
	s := openStore(t, t.TempDir(), Options{})
	if got := get(t, s, sample("tenant-a", 1).Key()); got != nil {
		t.Errorf("got %+v", got)
	}
	if st := s.Stats(); st.Misses != 1 || st.Hits != 0 {
		t.Errorf("got %+v", st)
	}
}

func TestTenantIsolationOfSnapshots(t *testing.T) { // seed T4.4
	for _, shards := range []int{1, 8} { // in one file, and in several
		s := openStore(t, t.TempDir(), Options{Shards: shards})
		a := sample("tenant-a", 1)
		must(t, s.Put(a))
		for _, tenant := range []aggregate.TenantID{"tenant-b", "", "tenant", "tenant-a2"} {
			other := a.Key()
			other.Tenant = tenant
			if got := get(t, s, other); got != nil {
				t.Errorf("%q sees %+v", tenant, got)
			}
			must(t, s.Delete(other)) // task 4.5: deletes of other tenants change nothing
			if n, err := s.DeleteTenant(tenant); n != 0 || err != nil {
				t.Errorf("%q: got %d, %v", tenant, n, err)
			}
			b := *a
			b.TenantID = tenant
			b.State = json.RawMessage(`{"of":"b"}`)
			must(t, s.Put(&b))
		}
		if got := get(t, s, a.Key()); !reflect.DeepEqual(got, a) {
			t.Errorf("got %+v, want %+v", got, a)
		}
	}
}

func TestStoreIsSharedByGoroutines(t *testing.T) { // seed T4.5, in a form that can fail
	s := openStore(t, t.TempDir(), Options{})
	key := sample("tenant-a", 1).Key()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for v := range aggregate.Version(50) {
				snap := sample("tenant-a", v+1)
				snap.AggregateID = key.ID
				if err := s.Put(snap); err != nil && !errors.Is(err, aggregate.ErrConflict) {
					t.Error(err)
				}
				other := sample(aggregate.TenantID(fmt.Sprint("t", i)), 1)
				if err := s.Put(other); err != nil {
					t.Error(err)
				}
				if got, err := s.Get(other.Key()); err != nil || !reflect.DeepEqual(got, other) {
					t.Errorf("got %+v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	if got := get(t, s, key); got.Version != 50 || s.Count() != 401 {
		t.Errorf("got version %d of %d snapshots", got.Version, s.Count())
	}
}

func TestDeleteSnapshot(t *testing.T) { // task 4.5
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	a, b, c := sample("a", 1), sample("a", 1), sample("b", 1)
	for _, snap := range []*aggregate.Snapshot{a, b, c} {
		must(t, s.Put(snap))
	}
	must(t, s.Delete(a.Key()))
	must(t, s.Delete(a.Key())) // an absent one is no error
	if get(t, s, a.Key()) != nil || get(t, s, b.Key()) == nil || s.Count() != 2 {
		t.Errorf("got %d snapshots", s.Count())
	}
	if n, err := s.DeleteTenant("a"); n != 1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	must(t, s.Close())
	s = openStore(t, dir, Options{})
	if get(t, s, b.Key()) != nil || get(t, s, c.Key()) == nil || s.Count() != 1 {
		t.Errorf("after a restart: got %d snapshots", s.Count())
	}
}

func TestPutRefusesKeysThatAreNoKeys(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	for _, key := range []aggregate.Key{{Tenant: "a/b", Type: "Account"}, {Tenant: "a", Type: "b/Account"}, {Tenant: "a", Type: ""}, {Tenant: "_", Type: "Account"}} {
		snap := sample("a", 1)
		snap.TenantID, snap.AggregateType = key.Tenant, key.Type
		if err := s.Put(snap); !errors.Is(err, aggregate.ErrStorage) {
			t.Errorf("%v: got %v", key, err)
		}
	}
	if _, err := s.DeleteTenant("*"); !errors.Is(err, aggregate.ErrStorage) {
		t.Errorf("got %v", err)
	}
}

func TestClosedStore(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	must(t, s.Close())
	must(t, s.Close())
	snap := sample("a", 1)
	_, err := s.Get(snap.Key())
	for _, err := range []error{err, s.Put(snap), s.Delete(snap.Key())} {
		if !errors.Is(err, aggregate.ErrStorage) || !errors.Is(err, errClosed) {
			t.Errorf("got %v", err)
		}
	}
}

func TestDamagedValueIsAbsent(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{Shards: 1})
	a, b := sample("a", 9), sample("a", 3)
	must(t, s.Put(a))
	whole, err := encode(nil, a.Key().String(), a)
	must(t, err)
	flip := bytes.Clone(whole)
	flip[len(flip)/2] ^= 4
	for name, v := range map[string][]byte{"flipped bit": flip, "cut": whole[:len(whole)-1], "empty": nil, "text": []byte("hello"), "longer": append(bytes.Clone(whole), 0)} {
		must(t, s.shards[0].update(func(tx *buntdb.Tx, _ *change) error {
			_, _, err := tx.Set(a.Key().String(), string(v), nil)
			return err
		}))
		if got := get(t, s, a.Key()); got != nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if st := s.Stats(); st.Damaged != 5 || st.Misses != 5 {
		t.Errorf("got %+v", st)
	}
	older := *a
	older.Version = 2 // what is damaged has no version that could be newer
	must(t, s.Put(&older))
	if got := get(t, s, a.Key()); got == nil || got.Version != 2 {
		t.Errorf("got %+v", got)
	}
	// A value under the key of another aggregate, whole as it is, is not that one's.
	must(t, s.shards[0].update(func(tx *buntdb.Tx, _ *change) error {
		_, _, err := tx.Set(b.Key().String(), string(whole), nil)
		return err
	}))
	if got := get(t, s, b.Key()); got != nil {
		t.Errorf("got %+v", got)
	}
}

func TestDamagedFileIsBegunAnew(t *testing.T) {
	tests := map[string]func([]byte) []byte{
		"garbage":         func([]byte) []byte { return []byte("hello\r\nworld\r\n") },
		"zeros":           func([]byte) []byte { return make([]byte, 4096) },
		"zeros at end":    func(b []byte) []byte { return append(b, make([]byte, 512)...) },
		"middle":          func(b []byte) []byte { b[5] = 'x'; return b },
		"huge length":     func([]byte) []byte { return []byte("*3\r\n$3\r\nset\r\n$99999999999999\r\nx") },
		"gigabyte length": func([]byte) []byte { return []byte("*3\r\n$3\r\nset\r\n$1999999999\r\nx") },
		"short command":   func([]byte) []byte { return []byte("*1\r\n$1\r\ns\r\n") },
		"empty command":   func([]byte) []byte { return []byte("*1\r\n$0\r\n\r\n") },
		"other command":   func([]byte) []byte { return []byte("*1\r\n$4\r\nquit\r\n") },
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, dir, Options{Shards: 1})
			snap := sample("a", 1)
			must(t, s.Put(snap))
			must(t, s.Close())
			path := filepath.Join(dir, "snapshots-k00-of-01.db")
			b, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(path, damage(b), 0o600))
			var log bytes.Buffer
			s = openStore(t, dir, Options{Shards: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if got := get(t, s, snap.Key()); got != nil || s.Count() != 0 {
				t.Errorf("got %+v", got)
			}
			if !strings.Contains(log.String(), "damaged") || !strings.Contains(log.String(), path) {
				t.Errorf("the log says %q", log.String())
			}
			must(t, s.Put(snap))
			must(t, s.Close())
			s = openStore(t, dir, Options{Shards: 1})
			if got := get(t, s, snap.Key()); !reflect.DeepEqual(got, snap) {
				t.Errorf("the new file: got %+v", got)
			}
		})
	}
}

// What a crash cuts off at the end costs the last snapshots only.
func TestTornEndKeepsTheRest(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{Shards: 1})
	a, b := sample("a", 1), sample("a", 1)
	must(t, s.Put(a))
	size := s.Stats().FileBytes
	must(t, s.Put(b))
	end := s.Stats().FileBytes
	must(t, s.Close())
	path := filepath.Join(dir, "snapshots-k00-of-01.db")
	whole, err := os.ReadFile(path)
	must(t, err)
	for cut := size; cut < end; cut++ {
		must(t, os.WriteFile(path, whole[:cut], 0o600))
		s, err := Open(dir, Options{Shards: 1, Logger: slog.New(slog.DiscardHandler)})
		must(t, err)
		if get(t, s, a.Key()) == nil || get(t, s, b.Key()) != nil {
			t.Fatalf("cut at %d of %d: the wrong ones are gone", cut, end)
		}
		must(t, s.Close())
	}
}

func TestAnotherNumberOfShardsStartsAnew(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{Shards: 3})
	snap := sample("a", 1)
	must(t, s.Put(snap))
	must(t, s.Close())
	must(t, os.WriteFile(filepath.Join(dir, "snapshots-00-of-02.db.tmp"), []byte("x"), 0o600)) // of a shrink cut off
	s = openStore(t, dir, Options{Shards: 2})
	if get(t, s, snap.Key()) != nil {
		t.Error("a snapshot was found in a file of another layout")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	if len(files) != 2 {
		t.Errorf("got %v", files)
	}
}

// Open does not wait for the files to be read; who wants a snapshot does.
func TestCallsWaitForTheirFile(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{Shards: 1})
	snap := sample("a", 1)
	must(t, s.Put(snap))
	must(t, s.Close())
	path := filepath.Join(dir, s.fileName(0))
	late, err := newShard(path, 1<<20, slog.Default())
	must(t, err)
	found := make(chan error)
	go func() {
		found <- late.view(func(tx *buntdb.Tx) error { _, err := tx.Get(snap.Key().String()); return err })
	}()
	select {
	case err := <-found:
		t.Fatalf("before the file was read: got %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	late.load(t.Context())
	must(t, <-found)
	must(t, late.close())

	never, err := newShard(path, 1<<20, slog.Default())
	must(t, err)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	never.load(stopped) // a store that is closed at once need not read its files
	if err := never.view(func(*buntdb.Tx) error { return nil }); !errors.Is(err, errClosed) {
		t.Errorf("got %v", err)
	}
	must(t, never.close())
}

func TestShrinkWhenIdle(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{Shards: 2, ShrinkMin: 4096, ShrinkIdle: time.Millisecond, ShrinkEvery: 5 * time.Millisecond})
	snap := sample("a", 1)
	for range 200 {
		must(t, s.Put(snap))
		snap.Version++
	}
	// A shrink that began while puts still came keeps what they wrote; the next one does not.
	for deadline := time.Now().Add(20 * time.Second); s.Stats().Shrinks == 0 || s.Stats().FileBytes > 4096; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no shrink: %+v", s.Stats())
		}
	}
	st := s.Stats()
	if st.FileBytes > 4096 || st.Snapshots != 1 || st.LiveBytes > 1000 || st.LiveBytes < 100 {
		t.Errorf("got %+v", st)
	}
	if got := get(t, s, snap.Key()); got == nil || got.Version != 200 {
		t.Errorf("got %+v", got)
	}
	must(t, s.Put(snap))
}

func TestShrinkIsDue(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	o := Options{ShrinkMin: 1000, ShrinkIdle: time.Second}
	tests := []struct {
		name       string
		file, live int64
		idle       time.Duration
		want       bool
	}{
		{"small", 999, 1, time.Hour, false}, {"mostly live", 1999, 1000, time.Hour, false}, {"half is old", 2000, 1000, time.Hour, true},
		{"busy", 2000, 1000, 0, false}, {"busy, but far grown", 4000, 1000, 0, true}, {"all old", 2000, 0, time.Hour, true},
	}
	for _, tt := range tests {
		path := filepath.Join(dir, tt.name)
		must(t, os.WriteFile(path, make([]byte, tt.file), 0o600))
		s := &shard{path: path}
		s.live.Store(tt.live)
		s.written.Store(now.Add(-tt.idle).UnixNano())
		if got := s.due(&o, now); got != tt.want {
			t.Errorf("%s: got %t", tt.name, got)
		}
	}
}

// BuntDB keeps its lock when it panics in a write that it cannot undo.
func TestBrokenFileIsReplaced(t *testing.T) {
	dir, err := os.MkdirTemp("", "store")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // not on Windows, as long as the old database has the file open
	s := openStore(t, dir, Options{Shards: 1})
	snap := sample("a", 1)
	must(t, s.Put(snap))
	err = s.shards[0].update(func(*buntdb.Tx, *change) error { panic("disk full") })
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v", err)
	}
	if get(t, s, snap.Key()) != nil || s.Count() != 0 {
		t.Error("the old file is still read")
	}
	must(t, s.Put(snap))
	if got := get(t, s, snap.Key()); !reflect.DeepEqual(got, snap) {
		t.Errorf("got %+v", got)
	}
}

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := Open(filepath.Join(file, "dir"), Options{}); !errors.Is(err, aggregate.ErrStorage) {
		t.Errorf("got %v", err)
	}
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "snapshots-k00-of-16.db", "x"), 0o700)) // cannot be removed
	if _, err := Open(dir, Options{Logger: slog.New(slog.DiscardHandler)}); !errors.Is(err, aggregate.ErrStorage) {
		t.Errorf("got %v", err)
	}
}

func anySnapshot() *rapid.Generator[*aggregate.Snapshot] {
	return rapid.Custom(func(t *rapid.T) *aggregate.Snapshot {
		s := &aggregate.Snapshot{
			TenantID:      aggregate.TenantID(rapid.StringMatching(`([A-Za-z0-9][A-Za-z0-9_-]{0,9})?`).Draw(t, "tenant")),
			AggregateType: aggregate.Type(rapid.StringMatching(`[A-Z][A-Za-z0-9_]{0,9}`).Draw(t, "type")),
			AggregateID:   aggregate.NewID(),
			Version:       aggregate.Version(rapid.Uint64().Draw(t, "version")),
			Fingerprint:   rapid.String().Draw(t, "fingerprint"),
			Mark: aggregate.Mark{Version: aggregate.Version(rapid.Uint64().Draw(t, "mark version")), Before: [aggregate.MarkBefore]aggregate.Sequence{aggregate.Sequence(rapid.Uint64().Draw(t, "before")), aggregate.Sequence(rapid.Uint64().Draw(t, "before that"))},
				Sequence: aggregate.Sequence(rapid.Uint64().Draw(t, "sequence")), Stream: rapid.String().Draw(t, "stream")},
		}
		copy(s.Mark.Hash[:], rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "hash"))
		for _, f := range []*[]byte{(*[]byte)(&s.State), &s.Commands} {
			if b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"); len(b) > 0 {
				*f = b
			}
		}
		for _, f := range []*time.Time{&s.CreatedAt, &s.UpdatedAt} {
			*f = time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC()
		}
		return s
	})
}

func TestLawDecodeInvertsEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anySnapshot().Draw(t, "snapshot")
		name := want.Key().String()
		b, err := encode([]byte("before"), name, want)
		if err != nil || string(b[:6]) != "before" {
			t.Fatal(err)
		}
		got, err := decode(want.Key(), name, b[6:])
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
		if v, seq, err := placeOf(name, b[6:]); err != nil || v != want.Version || seq != want.Mark.Sequence {
			t.Fatalf("got version %d, %v", v, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	snap := sample("a", 1)
	b, err := encode(nil, "n", snap)
	must(f, err)
	f.Add(b[32:])
	f.Fuzz(func(t *testing.T, rest []byte) {
		sum := checksum("n", rest) // past the checksum, where the reading begins
		got, err := decode(snap.Key(), "n", append(sum[:], rest...))
		if err != nil {
			return
		}
		again, err := encode(nil, "n", got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decode(snap.Key(), "n", again); err != nil || !reflect.DeepEqual(back, got) {
			t.Fatalf("got %+v, %v, want %+v", back, err, got)
		}
	})
}

// Whatever a file holds, opening it neither panics nor fails, and the store works afterwards.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("*3\r\n$3\r\nset\r\n$1\r\nk\r\n$1\r\nv\r\n*2\r\n$3\r\ndel\r\n$1\r\nk\r\n"))
	f.Add([]byte("*1\r\n$7\r\nflushdb\r\n"))
	f.Add([]byte("*3\r\n$3\r\nset"))
	f.Add([]byte("\x00*1\r\n$1\r\ns\r\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "snapshots-k00-of-01.db"), content, 0o600))
		s, err := Open(dir, Options{Shards: 1, Logger: slog.New(slog.DiscardHandler)})
		must(t, err)
		snap := sample("a", 1)
		must(t, s.Put(snap))
		must(t, s.Close())
		s, err = Open(dir, Options{Shards: 1, Logger: slog.New(slog.DiscardHandler)})
		must(t, err)
		defer s.Close()
		if got := get(t, s, snap.Key()); !reflect.DeepEqual(got, snap) {
			t.Fatalf("got %+v, want %+v", got, snap)
		}
	})
}

func BenchmarkPut(b *testing.B) {
	s := openStore(b, b.TempDir(), Options{})
	snap := sample("a", 1)
	snap.State = json.RawMessage(`{"a":"` + strings.Repeat("x", 1000) + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		snap.Version++
		must(b, s.Put(snap))
	}
}

func BenchmarkGet(b *testing.B) {
	s := openStore(b, b.TempDir(), Options{})
	snap := sample("a", 1)
	snap.State = json.RawMessage(`{"a":"` + strings.Repeat("x", 1000) + `"}`)
	must(b, s.Put(snap))
	b.ReportAllocs()
	for b.Loop() {
		if got, err := s.Get(snap.Key()); err != nil || got == nil {
			b.Fatal(got, err)
		}
	}
}
