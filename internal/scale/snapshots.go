package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/store"
)

// snapshotOf is a snapshot as the bank makes it at its fiftieth commit.
func snapshotOf(i int, version aggregate.Version) *aggregate.Snapshot {
	key := keyOf(i)
	at := time.Date(2026, 11, 24, 10, 0, 0, i, time.UTC)
	mark := aggregate.Mark{Version: version, Sequence: aggregate.Sequence(i + 1_000_000), Hash: [32]byte{byte(i), byte(i >> 8)}, Stream: "AGGREGATE_EVENTS@2026-01-01T00:00:00Z"}
	for k := range mark.Before {
		mark.Before[k] = mark.Sequence - aggregate.Sequence(k+1)*2000
	}
	return &aggregate.Snapshot{TenantID: key.Tenant, AggregateType: key.Type, AggregateID: key.ID, Version: version, Mark: mark, CreatedAt: at, UpdatedAt: at,
		State:       json.RawMessage(fmt.Sprintf(`{"owner":"Customer %d","status":"open","balance":%d.50,"fees_paid":0.75,"holds":{},"tags":[],"contact":null,"extra":null,"opened_at":"2026-11-24T10:00:00Z"}`, i, i%10_000)),
		Fingerprint: strings.Repeat("f", 64), Commands: make([]byte, 100)}
}

// measureStore fills the snapshot store, opens it again, and looks for stalls while its files shrink.
func measureStore(o *options, out *report) error {
	dir := o.path("store")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	before := heap()
	s, err := store.Open(dir, store.Options{Logger: quiet, ShrinkMin: 1 << 40}) // never
	if err != nil {
		return err
	}
	if err := putAll(s, o, 1); err != nil {
		return err
	}
	st := s.Stats()
	count := max(st.Snapshots, 1)
	out.add("snapshots kept of those put", fmt.Sprintf("%d of %d", st.Snapshots, o.snapshots), "%d B each, key and value", st.LiveBytes/count)
	out.add("heap for a snapshot", fmt.Sprintf("%d B", (heap()-before)/count), "after a collection")
	now, most := rssOf("self")
	out.add("RSS of the store alone", fmt.Sprintf("%s, at most %s", megabytes(now), megabytes(most)), "this process does nothing else")
	if err := putAll(s, o, 2); err != nil { // so that most of a file is old
		return err
	}
	st = s.Stats()
	if err := s.Close(); err != nil {
		return err
	}
	heap()
	begun := time.Now()
	s, err = store.Open(dir, store.Options{Logger: quiet, ShrinkIdle: time.Nanosecond, ShrinkEvery: 10 * time.Second})
	if err != nil {
		return err
	}
	opened := time.Since(begun)
	readAll(s)
	out.add("open", show(opened), "all files are read after %s: %s, most of it old", show(time.Since(begun)), megabytes(st.FileBytes))
	return errors.Join(stalls(s, o, out), s.Close())
}

// readAll waits until every file has been read: there is something of these in each.
func readAll(s *store.Store) {
	for i := range 1000 {
		_, _ = s.Get(keyOf(i))
	}
}

func putAll(s *store.Store, o *options, v aggregate.Version) error {
	p := newProgress(fmt.Sprintf("snapshots, version %d", v), o.snapshots)
	for i := range o.snapshots {
		if err := s.Put(snapshotOf(i, v)); err != nil {
			return err
		}
		if i%1000 == 0 {
			p.at(i)
		}
	}
	return nil
}

// stalls reads and writes at a fixed rate, first while all files shrink, then in peace.
func stalls(s *store.Store, o *options, out *report) error {
	small := func(st store.Stats) bool { return st.FileBytes < 3*st.LiveBytes/2 } // one file follows another
	if err := load(s, o, out, "while files shrink", small); err != nil {
		return err
	}
	return load(s, o, out, "in peace", nil)
}

// load reads and writes until done says so after at least ten seconds.
func load(s *store.Store, o *options, out *report, when string, done func(store.Stats) bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	puts, gets := hdrhistogram.New(1, 1e8, 3), hdrhistogram.New(1, 1e8, 3)
	var failed error
	r := rand.New(rand.NewPCG(3, 4))
	version := aggregate.Version(1000 + s.Stats().Puts)
	wg.Go(func() {
		paced(ctx, o.puts, func() {
			version++
			snap := snapshotOf(r.IntN(o.snapshots), version)
			begun := time.Now()
			err := s.Put(snap)
			_ = puts.RecordValue(max(time.Since(begun).Microseconds(), 1))
			if err != nil {
				failed = err
				cancel()
			}
		})
	})
	wg.Go(func() {
		r := rand.New(rand.NewPCG(5, 6))
		paced(ctx, o.gets, func() {
			key := keyOf(r.IntN(o.snapshots))
			begun := time.Now()
			_, _ = s.Get(key) // its failures count as errors of the store, below
			_ = gets.RecordValue(max(time.Since(begun).Microseconds(), 1))
		})
	})
	begun, shrinks := time.Now(), s.Stats().Shrinks
	for ctx.Err() == nil && (time.Since(begun) < 10*time.Second || done != nil && !done(s.Stats())) {
		time.Sleep(100 * time.Millisecond)
	}
	cancel()
	wg.Wait()
	st := s.Stats()
	if st.Errors > 0 || failed != nil {
		return fmt.Errorf("%d calls of the store failed: %w", st.Errors, failed)
	}
	micros := func(h *hdrhistogram.Histogram, q float64) string {
		return show(time.Duration(h.ValueAtQuantile(q)) * time.Microsecond)
	}
	for _, c := range []struct {
		what string
		h    *hdrhistogram.Histogram
		rate int
	}{{"Put", puts, o.puts}, {"Get", gets, o.gets}} {
		out.add(fmt.Sprintf("longest %s %s", c.what, when), micros(c.h, 100), "p50 %s, p99 %s, p99.9 %s; %d/s for %s, %d shrinks", micros(c.h, 50), micros(c.h, 99), micros(c.h, 99.9), c.rate, show(time.Since(begun)), st.Shrinks-shrinks)
	}
	return nil
}
