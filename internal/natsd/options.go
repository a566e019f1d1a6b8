package natsd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"
)

// SyncMode says what an acknowledgement of the embedded server means.
type SyncMode string

// The modes. Group: [Waiter.Wait] makes it durable, many at a time. Always: it is durable. Interval: it is in
// the page cache; a power cut may lose the last Options.Interval.
const (
	Group    SyncMode = "group"
	Always   SyncMode = "always"
	Interval SyncMode = "interval"
)

// ListenOff is the value of Options.Listen without a port for other clients.
const ListenOff = "off"

const (
	defaultInterval = 2 * time.Minute
	// groupInterval puts the server's own sync off: it may consume an I/O error that ours then never sees.
	groupInterval = 24 * time.Hour
	readyTimeout  = 10 * time.Second
	// tlsTimeout bounds a client's handshake; the server's own two seconds are short for a busy machine.
	tlsTimeout = 10 * time.Second
	// reconnectWait is for connections that the server dropped (slow consumer) while it runs on.
	reconnectWait = 50 * time.Millisecond
)

// Options are the settings of a [Server].
type Options struct {
	// Name is the server's name; empty is "aggd".
	Name string
	// Dir is the store folder. It is made when absent.
	Dir string
	// Listen is host:port for other clients (port 0: a free one), or "off" or empty for none.
	Listen string
	// TLS, when set, is asked of clients of Listen; with client certificates, mTLS. Connect goes without.
	TLS *tls.Config
	// Sync is the mode; empty is Group.
	Sync SyncMode
	// Interval is the time between syncs in mode Interval; 0 is two minutes.
	Interval time.Duration
	// Logger takes what the server and the syncer have to say; nil is slog.Default().
	Logger *slog.Logger
	// Fatal is called once, in a goroutine of its own, when a sync has failed: from then on nothing is durable
	// and the process must end. It may call Shutdown. Nil only logs.
	Fatal func(error)
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "aggd"
	}
	if o.Sync == "" {
		o.Sync = Group
	}
	if o.Interval == 0 {
		o.Interval = defaultInterval
	}
	if o.Listen == "" {
		o.Listen = ListenOff
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Fatal == nil {
		o.Fatal = func(error) {}
	}
	return o
}

// Validate tells what is wrong with o, as far as that can be seen without touching disk or network.
func (o Options) Validate() error {
	if o.Dir == "" {
		return errors.New("the store folder is empty (hint: --data DIR)")
	}
	switch o.Sync {
	case "", Group, Always, Interval:
	default:
		return fmt.Errorf("sync mode %q is unknown (hint: group, always or interval)", o.Sync)
	}
	if o.Interval < 0 {
		return fmt.Errorf("sync interval %s is negative", o.Interval)
	}
	_, _, err := o.listen()
	return err
}

// listen gives host and port; port -1 is the server's word for a free one, 0 ours for none.
func (o Options) listen() (string, int, error) {
	if o.Listen == "" || o.Listen == ListenOff {
		return "", 0, nil
	}
	host, p, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return "", 0, fmt.Errorf("NATS listen address %q: want host:port or off: %w", o.Listen, err)
	}
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("NATS listen address %q: port %q is not a number up to 65535", o.Listen, p)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	if port == 0 {
		return host, -1, nil
	}
	return host, int(port), nil
}

// mode gives the server's own two sync settings.
func (m SyncMode) mode(interval time.Duration) (always bool, every time.Duration) {
	switch m {
	case Always:
		return true, interval
	case Interval:
		return false, interval
	}
	return false, groupInterval
}
