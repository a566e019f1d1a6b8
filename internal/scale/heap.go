package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/engine"
	"github.com/cloudlysis/aggregate/internal/config"
	"github.com/cloudlysis/aggregate/internal/daemon"
	"github.com/cloudlysis/aggregate/internal/natsd"
	"github.com/cloudlysis/aggregate/store"
)

var quiet = slog.New(slog.DiscardHandler)

// measureHeap opens the rooms of the daemon one after another on the data that measureKnown has left,
// and says what each holds for an aggregate after a collection.
func measureHeap(o *options, out *report) error {
	data := o.path("known")
	if _, err := os.Stat(o.path("known.whole")); err != nil {
		return fmt.Errorf("the data of the part known are not there: %w", err)
	}
	each := func(n int64, of int) string { return fmt.Sprintf("%.0f B", float64(n)/float64(of)) }

	before, begun := heap(), time.Now()
	srv, err := natsd.Start(natsd.Options{Dir: data + "/nats", Logger: quiet})
	if err != nil {
		return err
	}
	took := time.Since(begun)
	after := heap()
	out.add("nats-server, for a known aggregate", each(after-before, o.known), "its index of subjects; opened in %s", show(took))
	srv.Shutdown()
	srv = nil

	before, begun = heap(), time.Now()
	s, err := store.Open(data+"/snapshots", store.Options{Logger: quiet})
	if err != nil {
		return err
	}
	readAll(s)
	took = time.Since(begun)
	after = heap()
	st := s.Stats()
	out.add("BuntDB, for a snapshot", each(after-before, max(int(st.Snapshots), 1)), "%d snapshots of %s; opened in %s", st.Snapshots, each(st.LiveBytes, max(int(st.Snapshots), 1)), show(took))
	if err := s.Close(); err != nil {
		return err
	}
	s = nil
	return heapOfLive(o, out, data)
}

// heapOfLive opens the engine on the data and loads aggregates into it.
func heapOfLive(o *options, out *report, data string) error {
	settings, _, err := config.Load(config.Sources{Env: func(string) (string, bool) { return "", false },
		Flags: map[string]string{"manifests": "examples/bank", "data": data, "nats.listen": "off", "live.max": fmt.Sprint(2 * o.active), "live.idle": "1h"}})
	if err != nil {
		return err
	}
	e, closing, err := daemon.OpenEngine(context.Background(), daemon.Options{Settings: settings, Version: "scale", Log: quiet, Diagnostics: io.Discard})
	if err != nil {
		return err
	}
	const first = 200 // they wait until every file of snapshots has been read
	if err := commandAll(e, 0, first); err != nil {
		return errors.Join(err, closing())
	}
	objects, stacks := memory()
	err = commandAll(e, first, first+o.active)
	time.Sleep(25 * time.Second) // the server lets the blocks go that were read, and the ids of messages
	moreObjects, moreStacks := memory()
	each := func(n int64) string { return fmt.Sprintf("%.0f B", float64(n)/float64(o.active)) }
	out.add("engine, for a live aggregate", each(moreObjects-objects+moreStacks-stacks), "the difference that %d make; %s of it are stacks of goroutines", o.active, each(moreStacks-stacks))
	return errors.Join(err, closing())
}

func commandAll(e *engine.Engine, from, to int) error {
	for i := from; i < to; i++ {
		key := keyOf(i)
		if _, err := e.Submit(context.Background(), &aggregate.Command{TenantID: key.Tenant, AggregateType: key.Type, AggregateID: key.ID,
			CommandID: aggregate.NewID(), Payload: []byte(`{"type":"deposit","amount":1}`)}); err != nil {
			return err
		}
	}
	return nil
}
