package natsd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	probeStream  = "AGGREGATE_SELFTEST"
	probeSubject = "aggd.selftest"
	probeSize    = 4096
	probeTimeout = 10 * time.Second
)

// scratchDir is the scratch server's folder within the store folder, so on the same file system.
const scratchDir = "selftest"

// probe tells, by an error, why the syncer must not rely on blocks: it asks the file system, then runs probeLayout on a
// scratch server with the settings of the real one.
func (s *Server) probe() error {
	if err := s.disk.watchable(s.o.Dir); err != nil {
		return fmt.Errorf("self-test: %w", err)
	}
	dir := filepath.Join(s.o.Dir, scratchDir)
	if err := os.RemoveAll(dir); err != nil { // of a start that was cut off
		return fmt.Errorf("self-test: %w", err)
	}
	defer os.RemoveAll(dir)
	ns, err := s.boot(dir, ListenOff, Group)
	defer halt(ns)
	if err != nil {
		return fmt.Errorf("self-test: %w", err)
	}
	nc, err := s.dial(ns, "aggd-selftest", s.keys.auth())
	if err != nil {
		return fmt.Errorf("self-test: %w", err)
	}
	defer nc.Close()
	return probeLayout(nc, s.disk.streams(dir))
}

// probeLayout publishes to a scratch stream below root and tells, by an error, if an acknowledged message is not seen in
// a block file: then the syncer must not rely on blocks.
func probeLayout(nc *nats.Conn, root string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("self-test: %w", err)
	}
	_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: probeStream, Subjects: []string{probeSubject}})
	if err != nil {
		return fmt.Errorf("self-test: make the scratch stream: %w", err)
	}
	defer func() {
		if e := js.DeleteStream(ctx, probeStream); e != nil && err == nil {
			err = fmt.Errorf("self-test: delete the scratch stream: %w", e)
		}
	}()
	dir := filepath.Join(root, probeStream, "msgs")
	var before int64
	for range 3 {
		if _, err := js.Publish(ctx, probeSubject, make([]byte, probeSize)); err != nil {
			return fmt.Errorf("self-test: publish: %w", err)
		}
		after, err := blockBytes(dir)
		if err != nil {
			return err
		}
		if after < before+probeSize {
			return fmt.Errorf("self-test: an acknowledged message of %d bytes is not in the blocks of %s (%d bytes before, %d after)", probeSize, dir, before, after)
		}
		before = after
	}
	return nil
}

func blockBytes(dir string) (int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("self-test: %w", err)
	}
	var sum int64
	for _, e := range entries {
		if _, ok := blockNumber(e.Name()); !ok {
			continue
		}
		s, err := stampPath(filepath.Join(dir, e.Name()))
		if err != nil {
			return 0, fmt.Errorf("self-test: %w", err)
		}
		sum += s.size
	}
	return sum, nil
}
