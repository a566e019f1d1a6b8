package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// commitOf is a deposit as the bank stores it.
func commitOf(key aggregate.Key, after aggregate.Version) aggregate.Commit {
	c := aggregate.Commit{CommandID: aggregate.NewID(), CommandHash: strings.Repeat("0a", 32), Command: json.RawMessage(`{"type":"deposit","amount":1.25}`),
		Timestamp: time.Now().UTC(), Manifest: "sha256:" + strings.Repeat("ab", 32), Engine: "0.1.0/1"}
	c.Events = []aggregate.CommitEvent{{EventID: envelope.EventID(key, c.CommandID, c.Timestamp, 0), Version: after + 1, Type: "deposited", Schema: 1, Payload: json.RawMessage(`{"amount":1.25}`)}}
	return c
}

// sparse is a log in which the messages of one aggregate lie far apart.
type sparse struct {
	*bulk
	key   aggregate.Key
	marks []aggregate.Mark // the zero one first
}

// measureRehydrate loads an aggregate whose messages lie many foreign ones apart.
func measureRehydrate(o *options, out *report) error {
	dir := o.path("sparse")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := openLog(dir)
	if err != nil {
		return err
	}
	defer l.close()
	s := &sparse{bulk: l, key: keyOf(0), marks: []aggregate.Mark{{}}}
	if err := s.fill(o); err != nil {
		return err
	}
	size := sizeOf(dir)
	count := o.commits * (o.apart + 1)
	out.add("messages in the stream", fmt.Sprint(count), "%d foreign ones after each of the aggregate's, of real form and size: the log is %s, %d B a message", o.apart, megabytes(size), size/int64(count))
	for _, tail := range []int{o.tail, o.commits} {
		if err := s.measure(o, out, tail); err != nil {
			return err
		}
	}
	return nil
}

// fill appends the aggregate's messages, and after each the foreign ones, of 100,000 aggregates and
// unguarded: only their place matters.
func (s *sparse) fill(o *options) error {
	p := newProgress("messages", o.commits*(o.apart+1))
	for i := range o.commits {
		at := s.marks[len(s.marks)-1]
		next, err := s.log.Append(context.Background(), s.key, at, []aggregate.Commit{commitOf(s.key, at.Version)})
		if err != nil {
			return err
		}
		s.marks = append(s.marks, next)
		for k := range o.apart {
			other := keyOf(1 + (i*o.apart+k)%100_000)
			if _, err := s.copy(commitOf(other, 0), other); err != nil {
				return err
			}
		}
		if err := s.settle((i + 1) * (o.apart + 1)); err != nil {
			return err
		}
		p.at((i + 1) * (o.apart + 1))
	}
	return nil
}

// measure loads the last messages again and again: with the server's blocks in its memory, then after
// it has let them go, and with the kernel's page cache empty as well.
func (s *sparse) measure(o *options, out *report, tail int) error {
	const blocksLetGo = 12 * time.Second // the server does so 10 s after their last use
	for _, c := range []struct {
		when  string
		times int
		wait  time.Duration
		drop  bool
	}{
		{"blocks in the server's memory", 101, 0, false},
		{"blocks in the page cache only", 5, blocksLetGo, false},
		{"blocks on the disk only", 3, blocksLetGo, true},
	} {
		var took []time.Duration
		for i := range c.times + 1 {
			time.Sleep(c.wait)
			if c.drop {
				if err := dropCaches(); err != nil {
					break
				}
			}
			d, err := s.load(o, tail)
			if err != nil {
				return err
			}
			if i > 0 || c.wait > 0 { // the first warm one reads the blocks
				took = append(took, d)
			}
		}
		if len(took) > 0 {
			out.add(fmt.Sprintf("%d commits, %s", tail, c.when), medianOf(took), "p50 of %d loads", len(took))
		}
	}
	return nil
}

func (s *sparse) load(o *options, tail int) (time.Duration, error) {
	begun, got := time.Now(), 0
	for _, err := range s.log.Load(context.Background(), s.key, s.marks[o.commits-tail]) {
		if err != nil {
			return 0, err
		}
		got++
	}
	if got != tail {
		return 0, errors.New("the load gave " + fmt.Sprint(got) + " commits, want " + fmt.Sprint(tail))
	}
	return time.Since(begun), nil
}
