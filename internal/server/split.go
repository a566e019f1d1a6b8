package server

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// Split serves one listener to two servers: a connection whose first bytes are HTTP/2's preface
// "PRI " goes to gRPC, any other to HTTP; under TLS the negotiated protocol decides. A client
// that sends nothing for peekTimeout is closed.
type Split struct {
	l      net.Listener
	secure *tls.Config
	grpc   *queue
	http   *queue
	wg     sync.WaitGroup

	mu     sync.Mutex
	silent map[net.Conn]bool // accepted, not yet known which; nil once closed
}

const peekTimeout = 10 * time.Second

// NewSplit takes l, with secure speaking TLS on it unless nil; Serve must be called.
func NewSplit(l net.Listener, secure *tls.Config) *Split {
	return &Split{l: l, secure: secure, grpc: newQueue(l.Addr()), http: newQueue(l.Addr()), silent: map[net.Conn]bool{}}
}

// GRPC is the listener of the gRPC server.
func (s *Split) GRPC() net.Listener { return s.grpc }

// HTTP is the listener of the HTTP server.
func (s *Split) HTTP() net.Listener { return s.http }

// Serve accepts until Close; then it returns nil once every connection has been handed over.
func (s *Split) Serve() error {
	defer s.wg.Wait()
	for {
		c, err := s.l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			var ne net.Error
			if errors.As(err, &ne) && ne.Timeout() {
				continue
			}
			return err
		}
		s.wg.Go(func() { s.route(c) })
	}
}

// Close stops accepting and closes connections that have not said anything yet; those that were
// handed over live on.
func (s *Split) Close() error {
	err := s.l.Close()
	_ = s.grpc.Close()
	_ = s.http.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.silent {
		_ = c.Close()
	}
	s.silent = nil
	return err
}

// track keeps a silent connection for Close; false when closed already.
func (s *Split) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent == nil {
		return false
	}
	s.silent[c] = true
	return true
}

func (s *Split) untrack(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.silent, c)
}

func (s *Split) route(c net.Conn) {
	if !s.track(c) {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(peekTimeout))
	conn, q, err := s.kind(c)
	s.untrack(c)
	if err != nil {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	if !q.put(conn) {
		_ = c.Close()
	}
}

// kind finds out what c speaks.
func (s *Split) kind(c net.Conn) (net.Conn, *queue, error) {
	if s.secure != nil {
		t := tls.Server(c, s.secure)
		err := t.Handshake()
		if t.ConnectionState().NegotiatedProtocol == "h2" {
			return t, s.grpc, err
		}
		return t, s.http, err
	}
	br := bufio.NewReaderSize(c, 4096)
	head, err := br.Peek(4)
	if string(head) == "PRI " {
		return &peeked{Conn: c, br: br}, s.grpc, err
	}
	return &peeked{Conn: c, br: br}, s.http, err
}

// peeked is a connection that gives back what was peeked.
type peeked struct {
	net.Conn
	br *bufio.Reader // nil once drained
}

func (p *peeked) Read(b []byte) (int, error) {
	if p.br == nil {
		return p.Conn.Read(b)
	}
	n, err := p.br.Read(b)
	if p.br.Buffered() == 0 {
		p.br = nil
	}
	return n, err
}

// queue is a listener fed with connections. Its Close unblocks Accept: grpc-go's Stop waits for
// Accept to return.
type queue struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newQueue(addr net.Addr) *queue {
	return &queue{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

func (q *queue) put(c net.Conn) bool {
	select {
	case q.conns <- c:
		return true
	case <-q.done:
		return false
	}
}

// Accept gives the next connection, or net.ErrClosed.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (q *queue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

// Addr is the address of the port that is shared.
func (q *queue) Addr() net.Addr { return q.addr }
