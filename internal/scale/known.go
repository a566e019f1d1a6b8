package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/aggdtest"
	"github.com/cloudlysis/aggregate/internal/loadgen"
)

// keyOf names aggregate i: a version 7 UUID as if it had been made in millisecond i/4.
func keyOf(i int) aggregate.Key {
	var id aggregate.ID
	binary.BigEndian.PutUint64(id[:8], uint64(1_790_000_000_000+i/4)<<16)
	r := rand.New(rand.NewPCG(uint64(i), 7))
	id[6], id[7] = 0x70|byte(r.IntN(16)), byte(r.IntN(256))
	binary.BigEndian.PutUint64(id[8:], r.Uint64())
	id[8] = id[8]&0x3f | 0x80
	return aggregate.Key{Type: "Account", ID: id}
}

// measureKnown fills a real aggd with aggregates through its door, restarts it in every way, and
// touches a part of them.
func measureKnown(o *options, out *report) error {
	exe, err := aggdtest.Build(".", o.dir)
	if err != nil {
		return err
	}
	data := o.path("known")
	if _, err := os.Stat(o.path("known.whole")); err != nil {
		if err := fill(exe, data, o, out); err != nil {
			return err
		}
	}
	out.add("disk: log, snapshots", megabytes(sizeOf(data+"/nats"))+", "+megabytes(sizeOf(data+"/snapshots")), "%d aggregates of one commit", o.known)
	if err := starts(exe, data, o, out); err != nil {
		return err
	}
	return touch(exe, data, o, out)
}

// each sends count commands by 256 callers over one stream.
func (n *node) each(count int, what string, command func(i int) (aggregate.Key, string)) error {
	cc, err := grpc.NewClient(strings.TrimPrefix(n.data, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer cc.Close()
	s, err := loadgen.NewStream(context.Background(), loadgen.NewGRPC(cc, ""))
	if err != nil {
		return err
	}
	var next, done, repeats atomic.Int64
	errs := make(chan error, 256)
	var wg sync.WaitGroup
	p := newProgress(what, count)
	var say sync.Mutex
	for range cap(errs) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				key, body := command(i)
				again, err := submit(s, key, body)
				repeats.Add(int64(again))
				if err != nil {
					errs <- fmt.Errorf("%s %s: %w", what, key, err)
					return
				}
				if k := int(done.Add(1)); k%1000 == 0 {
					say.Lock()
					p.at(k)
					say.Unlock()
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	if k := repeats.Load(); k > 0 {
		fmt.Fprintf(os.Stderr, "  %s: %d times the answer was to come again later\n", what, k)
	}
	return errors.Join(<-errs, s.Close())
}

// submit sends a command, again and again under the same id while aggd is too busy for it.
func submit(s *loadgen.Stream, key aggregate.Key, body string) (again int, err error) {
	id := aggregate.NewID()
	for again = 0; again < 100; again++ {
		err = s.Submit(context.Background(), key, id, []byte(body))
		if err == nil || errors.Is(err, loadgen.ErrRefused) {
			return again, err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return again, err
}

// starts measures the time until /ready after a clean stop and after kill -9.
func starts(exe aggdtest.Exe, data string, o *options, out *report) error {
	for _, c := range []struct {
		name, note string
		cold, kill bool
		prepare    func() error
	}{
		{name: "start after a clean stop, page cache warm"},
		{name: "start after a clean stop, page cache empty", cold: true},
		{name: "start after kill -9, page cache warm", kill: true, note: "Killed just after a start."},
		{name: "start after kill -9, page cache empty", kill: true, cold: true, note: "Killed just after a start."},
		{name: "start without the server's index, page cache warm", note: "index.db removed, the worst that a kill can leave: every block is read.", prepare: func() error { return removeIndexes(data) }},
		{name: "start without snapshots", note: "The folder removed.", prepare: func() error { return os.Rename(data+"/snapshots", o.path("snapshots.kept")) }},
	} {
		var took, logs, served []time.Duration
		var rss int64
		times := o.starts
		if c.prepare != nil {
			times = 1
		}
		for range times {
			if c.prepare != nil {
				if err := c.prepare(); err != nil {
					return err
				}
			}
			if c.kill {
				n, err := start(exe, data)
				if err != nil {
					return err
				}
				if err := n.kill(); err != nil {
					return err
				}
			}
			if c.cold {
				if err := dropCaches(); err != nil {
					out.add(c.name, "–", "the page cache cannot be emptied: %v", err)
					break
				}
			}
			n, err := start(exe, data)
			if err != nil {
				return err
			}
			read, err := n.read(64)
			if err != nil {
				return errors.Join(err, n.kill())
			}
			took, logs, served = append(took, n.took), append(logs, n.log0), append(served, n.took+read)
			rss, _ = n.rss()
			if _, err := n.stop(); err != nil {
				return err
			}
		}
		if len(took) > 0 {
			out.add(c.name, medianOf(took), "until /ready; the log is open after %s, 64 aggregates are read after %s; RSS then %s; %d starts. %s",
				show(median(logs)), show(median(served)), megabytes(rss), len(took), c.note)
		}
	}
	if err := os.RemoveAll(data + "/snapshots"); err != nil {
		return err
	}
	return os.Rename(o.path("snapshots.kept"), data+"/snapshots")
}

// read reads the first aggregates, which are spread over all files of snapshots: who comes early waits
// for its file.
func (n *node) read(count int) (time.Duration, error) {
	begun := time.Now()
	door := loadgen.NewHTTP(n.data, "", 1)
	for i := range count {
		if _, err := door.State(context.Background(), keyOf(i)); err != nil {
			return 0, err
		}
	}
	return time.Since(begun), nil
}

func removeIndexes(data string) error {
	return filepath.WalkDir(data+"/nats", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == "index.db" {
			return os.Remove(path)
		}
		return err
	})
}

func sizeOf(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if fi, err := e.Info(); err == nil {
				sum += fi.Size()
			}
		}
		return nil
	})
	return sum
}

// touch makes aggregates drawn at random active, and a tenth as many in an aggd that was told to keep
// its memory small.
func touch(exe aggdtest.Exe, data string, o *options, out *report) error {
	if err := touchWith(exe, data, o, out, o.active, "", 15*time.Second, 135*time.Second); err != nil {
		return err
	}
	return touchWith(exe, data, o, out, max(o.active/10, 1), "GOMEMLIMIT="+o.limit, 15*time.Second)
}

func touchWith(exe aggdtest.Exe, data string, o *options, out *report, active int, env string, waits ...time.Duration) error {
	var with string
	var more []string
	if env != "" {
		with, more = ", "+env, []string{env}
	}
	n, err := start(exe, data, more...)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(uint64(len(env)), 2))
	drawn := make([]aggregate.Key, active)
	for i := range drawn {
		drawn[i] = keyOf(r.IntN(o.known))
	}
	for round := range 3 {
		begun := time.Now()
		if err := n.each(active, "touch", func(i int) (aggregate.Key, string) { return drawn[i], `{"type":"deposit","amount":1.25}` }); err != nil {
			return errors.Join(err, n.kill())
		}
		if round == 0 {
			out.add(fmt.Sprintf("first command on %d of them, drawn at random%s", active, with), fmt.Sprintf("%.0f/s", float64(active)/time.Since(begun).Seconds()), "each loads its aggregate: 256 callers")
		}
	}
	now, most := n.rss()
	out.add(fmt.Sprintf("RSS, %d known, %d active%s", o.known, active, with), fmt.Sprintf("%s, at most %s", megabytes(now), megabytes(most)), "at the end of three commands on each")
	for _, wait := range waits {
		time.Sleep(wait)
		now, _ = n.rss()
		out.add("the same later"+with, megabytes(now), "%s without load: blocks that were read are garbage for the third collection, and an idle aggd has one every 2 min", wait)
	}
	_, err = n.stop()
	return err
}
