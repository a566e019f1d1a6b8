package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cloudlysis/aggregate/internal/server"
	"github.com/cloudlysis/aggregate/stream"
)

// probe answers the admin door.
type probe struct{ d *daemon }

// Health implements server.Probe.
func (p *probe) Health(ctx context.Context) server.Health {
	h := p.d.stream.Health(ctx)
	breakers := map[string]string{"stream": h.Breaker, "store": p.d.store.Breaker()}
	storage := breakers["store"] != "open" // it costs replays and no command, so it is no reason to be unhealthy
	return server.Health{
		Healthy: h.Connected && h.Reachable, NATSConnected: h.Connected && h.Reachable, StorageConnected: storage,
		ActiveAggregates: p.d.engine.Live(), Durability: p.d.durability(), Breakers: breakers, Manifest: p.d.sets.Current().Hash, Version: p.d.opts.Version,
	}
}

// Ready implements server.Probe. It never waits: what takes time is the watch's.
func (p *probe) Ready(context.Context) []server.Check {
	log, disk := p.d.watch.verdict(time.Now())
	return []server.Check{check("config", nil), check("manifests", nil), check("stream", log), check("storage", disk), check("clock", p.d.engine.Clock()), check("drain", p.d.admit(nil))}
}

func check(name string, err error) server.Check {
	c := server.Check{Name: name, OK: err == nil}
	if err != nil {
		c.Error = err.Error()
	}
	return c
}

const (
	watchEvery = time.Second
	// watchTimeout bounds the log's and the disk's sign of life each.
	watchTimeout = 2 * time.Second
	// silence is how old a sign of life may be, and how long appends may stand still. Together with watchEvery it keeps
	// the promise that /ready drops within five seconds.
	silence = 3 * time.Second
)

// watch looks every second whether commands can become durable: whether the streams answer, whether a sync ends, and
// whether the appends that are under way move. A server that is stopped, or whose disk does not answer, keeps its
// connections: only time tells.
type watch struct {
	log  func(ctx context.Context) stream.Health
	sync func(ctx context.Context) error // nil: the server syncs by itself

	mu       sync.Mutex
	looked   time.Time // when the last look ended
	logErr   error     // of the last look
	diskErr  error
	inFlight int // of appends
	seen     uint64
	moved    time.Time // when there was last no append under way, or another end of the log
}

// openWatch looks once, then in a goroutine until the daemon closes.
func (d *daemon) openWatch(ctx context.Context) error {
	d.watch = &watch{log: d.stream.Health}
	if d.server != nil {
		if w := d.server.Syncer(); w != nil {
			d.watch.sync = w.Wait
		}
	}
	d.watch.look(ctx)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { d.watch.run(ctx) })
	d.onClose(func(ctx context.Context) error {
		cancel()
		return waitFor(ctx, &running) // a disk that is stuck must not hold up the stop
	})
	return nil
}

func waitFor(ctx context.Context, wg *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the watch of the log is stuck: %w", context.Cause(ctx))
	}
}

func (w *watch) run(ctx context.Context) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			w.look(ctx)
		}
	}
}

// look asks log and disk; neither needs to answer.
func (w *watch) look(ctx context.Context) {
	asked, cancel := context.WithTimeout(ctx, watchTimeout)
	h := w.log(asked)
	cancel()
	if h.Err == nil && !(h.Connected && h.Reachable) {
		h.Err = errors.New("not reachable")
	}
	w.note(h, time.Now())
	var err error
	if w.sync != nil {
		asked, cancel := context.WithTimeout(ctx, watchTimeout)
		err = w.sync(asked)
		cancel()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.diskErr, w.looked = err, time.Now()
}

// note keeps what the log has said.
func (w *watch) note(h stream.Health, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logErr, w.looked = h.Err, now
	if seen := uint64(h.Seen); h.InFlight == 0 || w.inFlight == 0 || seen != w.seen {
		w.moved, w.seen = now, seen
	}
	w.inFlight = h.InFlight
}

// verdict is what stands between the node and commands: the log's part and the disk's.
func (w *watch) verdict(now time.Time) (log, disk error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch still := now.Sub(w.moved); {
	case w.logErr != nil:
		log = w.logErr
	case now.Sub(w.looked) > silence:
		log = fmt.Errorf("no sign of life for %s", now.Sub(w.looked).Round(time.Millisecond))
	case w.inFlight > 0 && still > silence:
		log = fmt.Errorf("%d appends are under way and none has moved for %s", w.inFlight, still.Round(time.Millisecond))
	}
	return log, w.diskErr
}
