package telemetry

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	socketQueue = 4096 // lines
	socketRetry = 500 * time.Millisecond
	socketWrite = 2 * time.Second // a reader that is slower than this is left
)

// Socket sends log lines to a unix socket. It never blocks who logs: lines go through a bounded
// queue, and those that do not fit, or are under way when the connection breaks, are dropped and
// counted. It connects again by itself.
type Socket struct {
	path    string
	lines   chan []byte
	dropped atomic.Uint64
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// NewSocket begins to connect to path; Close ends it.
func NewSocket(path string) *Socket {
	ctx, stop := context.WithCancel(context.Background())
	s := &Socket{path: path, lines: make(chan []byte, socketQueue), stop: stop}
	s.done.Go(func() { s.run(ctx) })
	return s
}

// Write queues one line; it never fails. It takes a copy.
func (s *Socket) Write(line []byte) (int, error) {
	select {
	case s.lines <- append([]byte(nil), line...):
	default:
		s.dropped.Add(1)
	}
	return len(line), nil
}

// Dropped is how many lines were dropped.
func (s *Socket) Dropped() uint64 { return s.dropped.Load() }

// Close sends what is queued if there is a connection, and ends.
func (s *Socket) Close() error {
	s.stop()
	s.done.Wait()
	return nil
}

func (s *Socket) run(ctx context.Context) {
	for {
		c, err := (&net.Dialer{Timeout: socketWrite}).DialContext(ctx, "unix", s.path)
		if err == nil {
			s.feed(ctx, c)
			_ = c.Close()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(socketRetry):
		}
	}
}

// feed writes lines until the connection breaks or ctx ends; then it empties the queue.
func (s *Socket) feed(ctx context.Context, c net.Conn) {
	for {
		select {
		case line := <-s.lines:
			if !s.send(c, line) {
				return
			}
		case <-ctx.Done():
			for {
				select {
				case line := <-s.lines:
					if !s.send(c, line) {
						return
					}
				default:
					return
				}
			}
		}
	}
}

func (s *Socket) send(c net.Conn, line []byte) bool {
	_ = c.SetWriteDeadline(time.Now().Add(socketWrite))
	if _, err := c.Write(line); err != nil {
		s.dropped.Add(1)
		return false
	}
	return true
}
