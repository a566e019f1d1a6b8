package sdnotify

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Start tells systemd that the daemon is ready and, where the unit has a watchdog, that it is
// alive as long as alive says so within a third of WatchdogSec. The returned function tells that
// the daemon is stopping and waits for the goroutine; call it once, first of all when stopping. A
// message that cannot be sent is logged and no reason to end: systemd draws its own conclusion.
func Start(log *slog.Logger, alive func(context.Context) error) (stop func(context.Context) error) {
	n := &notifier{log: log, alive: alive}
	n.say(daemon.SdNotifyReady)
	every := n.watchdog()
	if every == 0 {
		return func(context.Context) error { n.say(daemon.SdNotifyStopping); return nil }
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); n.watch(ctx, every) }()
	return func(context.Context) error {
		n.mu.Lock()
		cancel()
		n.say(daemon.SdNotifyStopping)
		n.mu.Unlock()
		<-done
		return nil
	}
}

type notifier struct {
	log   *slog.Logger
	alive func(context.Context) error
	mu    sync.Mutex // held while something is said: nothing follows what tells of the stop
}

func (n *notifier) say(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		n.log.Warn("systemd cannot be told", "state", state, "error", err)
	}
}

// watchdog gives the time between two signs of life; 0 when nobody waits for them. A third lets
// one be late or lost.
func (n *notifier) watchdog() time.Duration {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		n.log.Warn("the watchdog's setting cannot be read: it gets no sign of life", "error", err)
	}
	return limit / 3
}

func (n *notifier) watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		n.beat(ctx, every)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// beat gives one sign of life, unless the daemon says that it has none.
func (n *notifier) beat(ctx context.Context, within time.Duration) {
	asked, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := n.alive(asked); err != nil {
		if asked.Err() != context.Canceled {
			n.log.Warn("no sign of life for the watchdog", "error", err)
		}
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if ctx.Err() == nil {
		n.say(daemon.SdNotifyWatchdog)
	}
}
