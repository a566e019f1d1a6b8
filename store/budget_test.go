package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate"
)

// numbered is a snapshot of a kilobyte.
func numbered(tenant aggregate.TenantID, version aggregate.Version, age time.Duration) *aggregate.Snapshot {
	s := sample(tenant, version)
	s.State = json.RawMessage(`{"a":"` + string(bytes.Repeat([]byte("x"), 1000)) + `"}`)
	s.CreatedAt = time.Now().Add(-age).UTC()
	return s
}

func TestBudgetBoundsMemory(t *testing.T) {
	const budget = 256 << 10
	dir := t.TempDir()
	s := openStore(t, dir, Options{Budget: budget, Shards: 4})
	var last *aggregate.Snapshot
	for range 1000 {
		last = numbered("a", 3, 0)
		must(t, s.Put(last))
		if st := s.Stats(); st.MemoryBytes > budget {
			t.Fatalf("got %+v", st)
		}
		if get(t, s, last.Key()) == nil {
			t.Fatal("what was just put is gone")
		}
	}
	st := s.Stats()
	if st.MemoryBytes < budget*3/4 || st.Evicted+st.Snapshots != 1000 || st.Evicted < 700 {
		t.Errorf("got %+v", st)
	}
	must(t, s.Close())
	s = openStore(t, dir, Options{Budget: budget, Shards: 4})
	if again := s.Stats(); again.Snapshots != st.Snapshots || again.LiveBytes != st.LiveBytes || again.MemoryBytes != st.MemoryBytes || again.Evicted != 0 {
		t.Errorf("after a restart: got %+v, want the numbers of %+v", again, st)
	}
	must(t, s.Close())
	s = openStore(t, dir, Options{Budget: budget / 4, Shards: 4})
	less := s.Stats()
	if less.MemoryBytes > budget/4 || less.Evicted != st.Snapshots-less.Snapshots || less.Snapshots < 20 {
		t.Errorf("with a smaller budget: got %+v", less)
	}
	must(t, s.Close())
	s = openStore(t, dir, Options{Budget: budget, Shards: 4})
	if again := s.Stats(); again.Snapshots != less.Snapshots || again.LiveBytes != less.LiveBytes {
		t.Errorf("what was evicted at the opening came back: got %+v, want %+v", again, less)
	}
}

// What would cost the most to replay stays: long histories before short ones, and of equal ones those
// that were written last.
func TestBudgetKeepsWhatIsWorthIt(t *testing.T) {
	const n = 100
	kinds := map[string]func() *aggregate.Snapshot{
		"long":      func() *aggregate.Snapshot { return numbered("a", 5000, time.Hour) },
		"short":     func() *aggregate.Snapshot { return numbered("a", 2, time.Hour) },
		"old, long": func() *aggregate.Snapshot { return numbered("a", 5000, 10_000*time.Hour) },
	}
	s := openStore(t, t.TempDir(), Options{Shards: 1, Budget: 3 * n * 1350})
	keys := map[string][]aggregate.Key{}
	for range n {
		for name, make := range kinds {
			snap := make()
			must(t, s.Put(snap))
			keys[name] = append(keys[name], snap.Key())
		}
	}
	if st := s.Stats(); st.Evicted != 0 {
		t.Fatalf("too early: got %+v", st)
	}
	for range 2 * n { // they take the room of two of the three
		must(t, s.Put(numbered("b", 50, 0)))
	}
	left := map[string]int{}
	for name := range kinds {
		for _, key := range keys[name] {
			if get(t, s, key) != nil {
				left[name]++
			}
		}
	}
	if left["long"] < n*9/10 || left["short"] > n*3/4 || left["old, long"] > n/4 {
		t.Errorf("of %d each: got %v", n, left)
	}
}

// A snapshot greater than the budget is kept, alone.
func TestBudgetSmallerThanASnapshot(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{Shards: 1, Budget: 100})
	for range 3 {
		snap := numbered("a", 1, 0)
		must(t, s.Put(snap))
		if got := get(t, s, snap.Key()); got == nil || s.Count() != 1 {
			t.Errorf("got %v of %d", got, s.Count())
		}
	}
}

// Files of the time when each tenant had its file are of no use: aggregates lie elsewhere now.
func TestFilesByTenantAreRemoved(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "snapshots-03-of-08.db")
	must(t, os.WriteFile(old, nil, 0o600))
	openStore(t, dir, Options{})
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}

// One tenant's aggregates are spread over all files.
func TestOneTenantIsSpread(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{Shards: 4})
	for range 200 {
		must(t, s.Put(sample("a", 1)))
	}
	for i, sh := range s.shards {
		if n := sh.count.Load(); n < 20 {
			t.Errorf("file %d has %d of 200", i, n)
		}
	}
	if n, err := s.DeleteTenant("a"); n != 200 || err != nil || s.Stats().LiveBytes != 0 || s.Stats().MemoryBytes != 0 {
		t.Errorf("got %d, %v, %+v", n, err, s.Stats())
	}
}

// The counts are what the files hold, whatever was put, evicted and deleted.
func TestLawCountsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "store")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		o := Options{Shards: 2, Budget: int64(rapid.IntRange(1, 20_000).Draw(t, "budget"))}
		s, err := Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		var keys []aggregate.Key
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			snap := sample("a", aggregate.Version(i+1))
			snap.State = json.RawMessage(fmt.Sprintf(`{"a":"%0*d"}`, rapid.IntRange(1, 2000).Draw(t, "size"), 0))
			if len(keys) > 0 && rapid.Bool().Draw(t, "again") {
				snap.AggregateID = rapid.SampledFrom(keys).Draw(t, "key").ID
			}
			keys = append(keys, snap.Key())
			if err := s.Put(snap); err != nil {
				t.Fatal(err)
			}
			if rapid.IntRange(0, 4).Draw(t, "delete") == 0 {
				if err := s.Delete(rapid.SampledFrom(keys).Draw(t, "deleted")); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := s.Stats()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		o.Budget = 1 << 30
		if s, err = Open(dir, o); err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.reading.Wait()
		if got := s.Stats(); got.Snapshots != want.Snapshots || got.LiveBytes != want.LiveBytes || got.MemoryBytes != want.MemoryBytes {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestPeek(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySnapshot().Draw(t, "snapshot")
		v, err := encode(nil, s.Key().String(), s)
		if err != nil {
			t.Fatal(err)
		}
		version, created, ok := peek(string(v))
		if !ok || version != s.Version || !created.Equal(s.CreatedAt) {
			t.Fatalf("got %d, %v, %t, want %d, %v", version, created, ok, s.Version, s.CreatedAt)
		}
		if _, _, ok := peek(string(v[:len(v)/3])); ok && len(v)/3 < 33 {
			t.Fatal("what has no head was read")
		}
	})
}

// BenchmarkPutOverBudget puts new snapshots into a full store.
func BenchmarkPutOverBudget(b *testing.B) {
	s := openStore(b, b.TempDir(), Options{Budget: 16 << 20, Shards: 1})
	fill := func() {
		snap := sample("a", 3)
		snap.State = json.RawMessage(`{"a":"` + string(bytes.Repeat([]byte("x"), 300)) + `"}`)
		must(b, s.Put(snap))
	}
	for s.Stats().Evicted == 0 {
		fill()
	}
	b.ReportAllocs()
	for b.Loop() {
		fill()
	}
}
