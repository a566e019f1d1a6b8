package natsd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Server is a running nats-server in this process. All methods may be called side by side.
type Server struct {
	o    Options
	disk disk
	log  *slog.Logger
	keys keys

	lock   *os.File // the flock on the store folder
	fs     *os.File // the store folder, for syncfs; nil without it
	ns     *server.Server
	blocks *blocks // nil unless the syncer works by blocks
	syncer *syncer // nil unless mode Group, and not fallen back to SyncAlways
	how    how
	method string

	stopGate func() // nil until the gate is open

	mu      sync.Mutex
	conns   []*nats.Conn
	stopped bool
	stop    sync.Once
}

// Start locks the store folder, tests how it can be synced, starts the server on it and syncs once. On an error nothing is left running.
func Start(o Options) (*Server, error) { return start(o, realDisk()) }

func start(o Options, d disk) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Server{o: o, disk: d, log: o.Logger.With("component", "natsd")}
	if err := s.up(); err != nil {
		s.Shutdown()
		return nil, err
	}
	s.log.Info("embedded nats-server is ready", "listen", s.Addr(), "dir", o.Dir, "sync", s.SyncMethod())
	return s, nil
}

func (s *Server) up() (err error) {
	if s.lock, err = lockDir(s.o.Dir); err != nil {
		return err
	}
	if err := s.portFree(); err != nil {
		return err
	}
	if s.keys, err = newKeys(); err != nil {
		return err
	}
	if err := s.openFS(); err != nil {
		return err
	}
	mode := s.chooseMode()
	if s.ns, err = s.boot(s.o.Dir, s.o.Listen, mode); err != nil {
		return err
	}
	if err := s.startSync(); err != nil {
		return err
	}
	gate, err := s.Connect("aggd-gate")
	if err != nil {
		return err
	}
	s.stopGate, err = openGate(gate)
	return err
}

// portFree finds a taken port before the store is read, which may take seconds, and as a plain error.
func (s *Server) portFree() error {
	host, port, err := s.o.listen()
	if err != nil || port <= 0 {
		return err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if errors.Is(err, errPortTaken) {
		return fmt.Errorf("NATS port %s is taken by another program (hint: --nats-listen another one, or off): %w", s.o.Listen, err)
	}
	if err != nil {
		return fmt.Errorf("NATS port %s cannot be opened (hint: --nats-listen another one, or off): %w", s.o.Listen, err)
	}
	return l.Close()
}

// openFS opens the descriptor for syncfs and tries it: whether the call is there is known before anything rests on it.
// This is also the full sync of what an earlier process left.
func (s *Server) openFS() error {
	f, err := os.Open(s.o.Dir)
	if err != nil {
		return fmt.Errorf("store folder %s cannot be read: %w", s.o.Dir, err)
	}
	err = s.disk.syncfs(f)
	if err == nil {
		s.fs = f
		return nil
	}
	f.Close()
	if unsupported(err) {
		return nil
	}
	return syncError("syncfs", s.o.Dir, err)
}

// boot starts a server on dir with the sync settings of mode. A server comes also with an error, to be shut down,
// once there is one.
func (s *Server) boot(dir, listen string, mode SyncMode) (*server.Server, error) {
	host, port, err := Options{Listen: listen}.listen()
	if err != nil {
		return nil, err
	}
	always, every := mode.mode(s.o.Interval)
	o := &server.Options{ServerName: s.o.Name, NoSigs: true, JetStream: true, StoreDir: dir,
		SyncAlways: always, SyncInterval: every, JetStreamMaxStore: storeLimit(dir)}
	if err := s.keys.apply(o); err != nil {
		return nil, err
	}
	o.Host, o.Port, o.DontListen = host, port, port == 0
	if s.o.TLS != nil && port != 0 {
		o.TLSConfig, o.TLSTimeout = s.o.TLS, tlsTimeout.Seconds()
	}
	ns, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("embedded nats-server: %w", err)
	}
	log := &serverLog{log: s.log}
	ns.SetLoggerV2(log, false, false, false)
	ns.Start()
	if err := log.failed(); err != nil {
		return ns, fmt.Errorf("embedded nats-server on %s: %w", dir, err)
	}
	if !ns.ReadyForConnections(readyTimeout) {
		return ns, fmt.Errorf("embedded nats-server on %s is not ready after %s", dir, readyTimeout)
	}
	return ns, nil
}

// halt stops ns, if there is one, and waits for its end.
func halt(ns *server.Server) {
	if ns != nil {
		ns.Shutdown()
		ns.WaitForShutdown()
	}
}

// dial connects to ns. Nothing is buffered while it is away: callers have gone when it would be sent.
func (s *Server) dial(ns *server.Server, name string, o ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect("", append(o, nats.InProcessServer(ns), nats.Name(name),
		nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.ReconnectBufSize(-1))...)
	if err != nil {
		return nil, fmt.Errorf("connect %s to the embedded nats-server: %w", name, err)
	}
	return nc, nil
}

// SyncTree syncs all files and folders of the store. Call it after streams were made: the server itself leaves
// their folders to the kernel. In mode Group a failed sync is final here, too.
func (s *Server) SyncTree(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.fullSync(ctx.Err)
	if errors.Is(err, ErrSync) && s.syncer != nil {
		s.syncer.fail(err)
	}
	return err
}

// Syncer gives what makes acknowledgements durable, nil when they are as durable as configured without it (Always, Interval).
func (s *Server) Syncer() Waiter {
	if s.syncer == nil {
		return nil
	}
	return s.syncer
}

// SyncMethod says in words how messages get to the disk, after the tests at start.
func (s *Server) SyncMethod() string { return s.method }

// Addr is the address for other clients, "off" if there is none.
func (s *Server) Addr() string {
	if s.ns == nil {
		return ListenOff
	}
	if a := s.ns.Addr(); a != nil {
		return a.String()
	}
	return ListenOff
}

// Connect opens a connection in-process that may do everything. Shutdown closes it if the caller has not. A
// second one for loads is worth it: direct gets are served by the read loop of the connection that asks.
func (s *Server) Connect(name string) (*nats.Conn, error) { return s.open(name, s.keys.auth()) }

// ConnectDoor opens a connection in-process that may answer commands of local clients, and nothing else. Shutdown
// closes it if the caller has not.
func (s *Server) ConnectDoor(name string) (*nats.Conn, error) {
	refused := func(_ *nats.Conn, _ *nats.Subscription, err error) {
		s.log.Debug("an answer of the NATS door was refused", "error", err) // its asker chose a reply subject that no answer may have
	}
	return s.open(name, s.keys.doorAuth(), nats.ErrorHandler(refused))
}

func (s *Server) open(name string, o ...nats.Option) (*nats.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, ErrClosed
	}
	nc, err := s.dial(s.ns, name, o...)
	if err != nil {
		return nil, err
	}
	s.conns = append(slices.DeleteFunc(s.conns, (*nats.Conn).IsClosed), nc)
	return nc, nil
}

func (s *Server) closeConns() {
	s.mu.Lock()
	conns := s.conns
	s.conns = nil
	s.mu.Unlock()
	for _, nc := range conns {
		nc.Close()
	}
}

// Shutdown closes the connections, serves who still waits for the disk, stops the server, syncs once more and unlocks
// the folder. It returns when all is done; a second call waits for the first.
func (s *Server) Shutdown() { s.stop.Do(s.down) }

func (s *Server) down() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	if s.stopGate != nil {
		s.stopGate()
	}
	s.closeConns()
	if s.syncer != nil {
		s.syncer.stop()
	}
	if s.ns != nil {
		halt(s.ns)
		if err := s.fullSync(neverStop); err != nil {
			s.log.Error("the last sync failed: the store may lack what was acknowledged last", "error", err)
		}
	}
	s.release()
}

// release lets go of the folder, last: until here no other process may have it.
func (s *Server) release() {
	if s.blocks != nil {
		s.blocks.close()
	}
	for _, f := range []*os.File{s.fs, s.lock} {
		if f != nil {
			f.Close()
		}
	}
	s.keys.wipe()
}
