package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/aggdtest"
	"github.com/cloudlysis/aggregate/internal/natsd"
	"github.com/cloudlysis/aggregate/store"
	"github.com/cloudlysis/aggregate/stream"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// fill makes the first aggregates through the door of a real aggd, and the others as copies of the
// last of them: the same message and snapshot under other ids, written past the daemon.
func fill(exe aggdtest.Exe, data string, o *options, out *report) error {
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	n, err := start(exe, data)
	if err != nil {
		return err
	}
	empty, _ := n.rss()
	out.add("RSS of an empty aggd", megabytes(empty), "just started")
	begun := time.Now()
	if err := n.each(o.door, "fill", func(i int) (aggregate.Key, string) {
		return keyOf(i), fmt.Sprintf(`{"type":"open_account","owner":"Customer %d","initial_balance":%d}`, i, i%10_000)
	}); err != nil {
		return errors.Join(err, n.kill())
	}
	took := time.Since(begun)
	now, most := n.rss()
	out.add(fmt.Sprintf("RSS after %d aggregates were made", o.door), fmt.Sprintf("%s, at most %s", megabytes(now), megabytes(most)),
		"through the gRPC stream, 256 callers, %.0f commands/s; `live.max` 10,000", float64(o.door)/took.Seconds())
	stop, err := n.stop()
	if err != nil {
		return err
	}
	out.add("stop after that", show(stop), "SIGTERM; writes the snapshots of what is live, and the server's index")
	if err := multiply(data, o); err != nil {
		return err
	}
	return os.WriteFile(o.path("known.whole"), nil, 0o600)
}

// multiply copies the last aggregate that the door has made until there are enough.
func multiply(data string, o *options) error {
	l, err := openLog(data + "/nats")
	if err != nil {
		return err
	}
	defer l.close()
	snapshots, err := store.Open(data+"/snapshots", store.Options{Logger: quiet})
	if err != nil {
		return err
	}
	pattern := keyOf(o.door - 1)
	snap, err := snapshots.Get(pattern)
	if err != nil {
		return err
	}
	var loaded aggregate.Loaded
	for c, err := range l.log.Load(context.Background(), pattern, aggregate.Mark{}) {
		if err != nil {
			return err
		}
		loaded = c
	}
	p := newProgress("copies", o.known)
	for i := o.door; i < o.known; i++ {
		hash, err := l.copy(loaded.Commit, keyOf(i))
		if err != nil {
			return err
		}
		if snap != nil {
			one := *snap
			one.AggregateID = keyOf(i).ID
			one.Mark.Hash, one.Mark.Sequence = hash, aggregate.Sequence(i+1)
			if err := snapshots.Put(&one); err != nil {
				return err
			}
		}
		if i%5000 == 0 {
			p.at(i)
			if err := l.settle(i + 1); err != nil {
				return err
			}
		}
	}
	return errors.Join(l.settle(o.known), snapshots.Close())
}

// bulk is a log on the embedded server, and a connection past it.
type bulk struct {
	srv  *natsd.Server
	log  *stream.Log
	nc   *nats.Conn
	body []byte
}

func openLog(dir string) (*bulk, error) {
	srv, err := natsd.Start(natsd.Options{Dir: dir, Logger: quiet})
	if err != nil {
		return nil, err
	}
	var conns [3]*nats.Conn
	for i := range conns {
		if conns[i], err = srv.Connect(fmt.Sprintf("scale %d", i)); err != nil {
			srv.Shutdown()
			return nil, err
		}
	}
	b := &bulk{srv: srv, nc: conns[2]}
	b.log, err = stream.Open(context.Background(), conns[0], stream.Options{Loads: conns[1], Sync: srv.Syncer(), Unshared: true, Logger: quiet})
	if err != nil {
		srv.Shutdown()
	}
	return b, err
}

func (b *bulk) close() {
	_ = b.log.Close()
	b.srv.Shutdown()
}

// copy publishes the commit as the first of key, without waiting for an ack. It is not guarded, and the
// id of the message is left out, as the server would keep it in memory for a while.
func (b *bulk) copy(c aggregate.Commit, key aggregate.Key) (envelope.Hash, error) {
	c.CommandID = aggregate.NewID()
	c.Events = append([]aggregate.CommitEvent(nil), c.Events...)
	for k := range c.Events {
		c.Events[k].EventID = envelope.EventID(key, c.CommandID, c.Timestamp, k)
	}
	m := envelope.Message{Key: key, Commits: []aggregate.Commit{c}}
	body, err := envelope.Encode(b.body[:0], &m)
	if err != nil {
		return envelope.Hash{}, err
	}
	b.body = body
	header := envelope.Headers(&m, aggregate.Mark{})
	delete(header, envelope.HeaderMsgID)
	delete(header, envelope.HeaderExpectedSeq)
	return envelope.HashOf(body), b.nc.PublishMsg(&nats.Msg{Subject: envelope.Single.Subject(key), Header: header, Data: body})
}

// settle waits until the stream holds so many messages: its queue is bounded, and what is beyond it
// would be dropped.
func (b *bulk) settle(want int) error {
	if err := b.nc.Flush(); err != nil {
		return err
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		end, err := b.log.End(context.Background())
		if err != nil {
			return err
		}
		if end[envelope.Single.Streams()[0]] >= aggregate.Sequence(want) {
			return nil
		}
	}
	return fmt.Errorf("the stream does not reach %d messages", want)
}
