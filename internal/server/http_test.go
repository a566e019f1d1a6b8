package server

import (
	"bytes"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestAnAnswerThatIsNotTakenEnds: a client that never reads holds its connection and the answer for a
// bounded time. The bound is shortened here; that there is one is HTTP's.
func TestAnAnswerThatIsNotTakenEnds(t *testing.T) {
	ended := make(chan error, 1)
	s := HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for b := bytes.Repeat([]byte("x"), 1<<20); ; {
			if _, err := w.Write(b); err != nil {
				ended <- err
				return
			}
		}
	}))
	s.WriteTimeout = min(s.WriteTimeout, 500*time.Millisecond)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the handler still waits for a client that does not read")
	}
}
