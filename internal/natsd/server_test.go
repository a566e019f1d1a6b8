package natsd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// makeStream makes a stream on subjects name.> and returns what publishes to it.
func makeStream(t testing.TB, s *Server, name string) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(connect(t, s))
	must(t, err)
	_, err = js.CreateOrUpdateStream(context.Background(), jetstream.StreamConfig{Name: name, Subjects: []string{name + ".>"}})
	must(t, err)
	must(t, s.SyncTree(context.Background()))
	return js
}

func TestOptionsValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want string // in the error; empty: none
	}{
		{"least", Options{Dir: "d"}, ""},
		{"off", Options{Dir: "d", Listen: "off"}, ""},
		{"address", Options{Dir: "d", Listen: "127.0.0.1:4222"}, ""},
		{"any host", Options{Dir: "d", Listen: ":4222"}, ""},
		{"v6", Options{Dir: "d", Listen: "[::1]:0"}, ""},
		{"no folder", Options{}, "store folder is empty"},
		{"mode", Options{Dir: "d", Sync: "never"}, `sync mode "never" is unknown`},
		{"interval", Options{Dir: "d", Interval: -1}, "negative"},
		{"no port", Options{Dir: "d", Listen: "localhost"}, "want host:port or off"},
		{"named port", Options{Dir: "d", Listen: "localhost:nats"}, "not a number"},
		{"large port", Options{Dir: "d", Listen: "localhost:70000"}, "not a number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.o.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestRestartShowsWhatWasAcknowledged(t *testing.T) {
	for _, mode := range []SyncMode{Group, Always, Interval} {
		t.Run(string(mode), func(t *testing.T) {
			dir := t.TempDir()
			s := startTest(t, Options{Dir: dir, Sync: mode}, realDisk())
			if got := s.Syncer() != nil; got != (mode == Group) {
				t.Errorf("got a syncer: %v, in mode %s", got, mode)
			}
			js := makeStream(t, s, "S")
			for i := range 20 {
				_, err := js.Publish(t.Context(), "S.a", fmt.Append(nil, i))
				must(t, err)
			}
			if w := s.Syncer(); w != nil {
				must(t, w.Wait(t.Context()))
			}
			s.Shutdown()
			s = startTest(t, Options{Dir: dir, Sync: mode}, realDisk())
			js, err := jetstream.New(connect(t, s))
			must(t, err)
			stream, err := js.Stream(t.Context(), "S")
			must(t, err)
			for i := range 20 {
				m, err := stream.GetMsg(t.Context(), uint64(i+1))
				must(t, err)
				if string(m.Data) != fmt.Sprint(i) {
					t.Errorf("message %d: got %q", i+1, m.Data)
				}
			}
		})
	}
}

// Each acknowledged byte lies in a file that was synced at its full length when Wait returns.
func TestWaitCoversWhatWasAcknowledged(t *testing.T) {
	d := realDisk()
	d.syncfs = func(*os.File) error { return errors.ErrUnsupported } // so that each file is named
	var last atomic.Int64
	var watched atomic.Pointer[string]
	d.fsync = func(f *os.File) error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if w := watched.Load(); w != nil && f.Name() == *w {
			last.Store(info.Size())
		}
		return f.Sync()
	}
	dir := t.TempDir()
	s := startTest(t, Options{Dir: dir}, d)
	js := makeStream(t, s, "S")
	path := filepath.Join(d.streams(dir), "S", "msgs", "1.blk")
	watched.Store(&path)
	for i := range 10 {
		_, err := js.Publish(t.Context(), "S.a", make([]byte, 100))
		must(t, err)
		size := fileSize(t, path)
		must(t, s.Syncer().Wait(t.Context()))
		if last.Load() < size {
			t.Fatalf("message %d: synced %d bytes of %d", i, last.Load(), size)
		}
	}
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Size()
}

func TestTwoServersOnOneFolder(t *testing.T) {
	dir := t.TempDir()
	s := startTest(t, Options{Dir: dir, Sync: Interval}, realDisk())
	_, err := Start(Options{Dir: dir, Sync: Interval, Logger: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Fatalf("got %v, want ErrLocked and the process", err)
	}
	s.Shutdown()
	s.Shutdown() // idempotent
	startTest(t, Options{Dir: dir, Sync: Interval}, realDisk())
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	_, err = Start(Options{Dir: t.TempDir(), Listen: l.Addr().String(), Logger: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, errPortTaken) || !strings.Contains(err.Error(), "taken by another program") || !strings.Contains(err.Error(), "hint: --nats-listen") {
		t.Errorf("got %v, want what is wrong and a hint", err)
	}
}

func TestFolderUnusable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	_, err := Start(Options{Dir: filepath.Join(file, "store")})
	if err == nil || !strings.Contains(err.Error(), "cannot be made") {
		t.Errorf("below a file: got %v", err)
	}
	if os.Getuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("root may write everywhere, and Windows heeds no mode of a folder")
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o500))
	if _, err := Start(Options{Dir: dir}); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "not writable") {
		t.Errorf("read-only folder: got %v", err)
	}
}

// A store that JetStream itself cannot open is an error of Start, and nothing is left running or locked.
func TestStoreIsNoFolder(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "jetstream"), []byte("x"), 0o600))
	_, err := Start(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "JetStream") {
		t.Fatalf("got %v, want what JetStream says", err)
	}
	must(t, os.Remove(filepath.Join(dir, "jetstream")))
	startTest(t, Options{Dir: dir}, realDisk())
}

func TestNoPort(t *testing.T) {
	s := startTest(t, Options{Dir: t.TempDir(), Listen: ListenOff}, realDisk())
	if s.Addr() != ListenOff {
		t.Errorf("got %s, want off", s.Addr())
	}
	must(t, connect(t, s).Flush())
}

func TestShutdownClosesConnections(t *testing.T) {
	s := startTest(t, Options{Dir: t.TempDir()}, realDisk())
	nc := connect(t, s)
	s.Shutdown()
	if !nc.IsClosed() {
		t.Error("the connection is open after Shutdown")
	}
	if _, err := s.Connect("late"); !errors.Is(err, ErrClosed) {
		t.Errorf("Connect: got %v, want ErrClosed", err)
	}
	if err := s.Syncer().Wait(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Wait: got %v, want ErrClosed", err)
	}
}

func TestSyncMethods(t *testing.T) {
	elsewhere := func(string) string { return "/nonexistent" }
	noSyncfs := func(*os.File) error { return syscall.ENOSYS }
	unwatchable := func(string) error { return errors.New("FAT") }
	for _, c := range []struct {
		name    string
		mode    SyncMode
		spoil   func(*disk)
		want    string
		grouped bool
	}{
		{"group", Group, func(*disk) {}, "group: fsync of changed blocks, syncfs when many", true},
		{"group without syncfs", Group, func(d *disk) { d.syncfs = noSyncfs }, "group: fsync of changed blocks", true},
		{"group, other layout", Group, func(d *disk) { d.streams = elsewhere }, "group: syncfs", true},
		{"group, neither", Group, func(d *disk) { d.streams, d.syncfs = elsewhere, noSyncfs }, "always (fallback of group)", false},
		{"group, folders that do not tell", Group, func(d *disk) { d.watchable = unwatchable }, "group: syncfs", true},
		{"group, neither that", Group, func(d *disk) { d.watchable, d.syncfs = unwatchable, noSyncfs }, "always (fallback of group)", false},
		{"always", Always, func(*disk) {}, "always", false},
		{"interval", Interval, func(*disk) {}, "interval 1s", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := withSyncfs()
			c.spoil(&d)
			var out bytes.Buffer
			s := startTest(t, Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Sync: c.mode, Interval: time.Second,
				Logger: slog.New(slog.NewTextHandler(&out, nil))}, d)
			if s.SyncMethod() != c.want || !strings.Contains(out.String(), c.want) {
				t.Errorf("got %q, want %q, also in the log:\n%s", s.SyncMethod(), c.want, &out)
			}
			always, every := s.serverSync()
			if want := !c.grouped && c.mode != Interval; always != want {
				t.Errorf("SyncAlways: got %v, want %v", always, want)
			}
			if c.grouped && every != groupInterval {
				t.Errorf("SyncInterval: got %s, want %s", every, groupInterval)
			}
			w := s.Syncer()
			if (w != nil) != c.grouped {
				t.Fatalf("got syncer %v, want one: %v", w, c.grouped)
			}
			js := makeStream(t, s, "S")
			_, err := js.Publish(t.Context(), "S.a", []byte("x"))
			must(t, err)
			if w != nil {
				must(t, w.Wait(t.Context()))
			}
			if _, err := js.Stream(t.Context(), probeStream); !errors.Is(err, jetstream.ErrStreamNotFound) {
				t.Errorf("scratch stream: got %v, want none", err)
			}
			if _, err := os.Stat(filepath.Join(s.o.Dir, scratchDir)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("scratch folder: got %v, want none", err)
			}
			nc, err := nats.Connect("nats://" + s.Addr())
			must(t, err)
			nc.Close()
		})
	}
}

// serverSync gives what the server itself was told about syncing.
func (s *Server) serverSync() (bool, time.Duration) {
	c := s.ns.JetStreamConfig()
	return c.SyncAlways, c.SyncInterval
}

func TestStartFailsWhenTheDiskDoes(t *testing.T) {
	eio := func(*os.File) error { return syscall.EIO }
	for _, c := range []struct {
		name  string
		spoil func(*disk)
	}{
		{"syncfs", func(d *disk) { d.syncfs = eio }},
		{"fsync", func(d *disk) {
			d.fsync, d.syncfs = eio, func(*os.File) error { return syscall.ENOSYS }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := realDisk()
			c.spoil(&d)
			dir := t.TempDir()
			_, err := start(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)}, d)
			if !errors.Is(err, ErrSync) || !errors.Is(err, syscall.EIO) {
				t.Fatalf("got %v, want ErrSync and EIO", err)
			}
			startTest(t, Options{Dir: dir}, realDisk()) // unlocked and whole
		})
	}
}

// Blocks that fill up between two rounds are synced to their ends, and none stays open longer than it must.
func TestManyBlocks(t *testing.T) {
	d := realDisk()
	d.syncfs = func(*os.File) error { return errors.ErrUnsupported }
	var mu sync.Mutex
	synced := make(map[string]int64)
	d.fsync = func(f *os.File) error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		synced[f.Name()] = info.Size()
		return f.Sync()
	}
	dir := t.TempDir()
	s := startTest(t, Options{Dir: dir}, d)
	js := makeStream(t, s, "S")
	for range 3 {
		for range 20 {
			_, err := js.Publish(t.Context(), "S.a", make([]byte, 900<<10))
			must(t, err)
		}
		must(t, s.Syncer().Wait(t.Context()))
		blocks, err := filepath.Glob(filepath.Join(d.streams(dir), "S", "msgs", "*.blk"))
		must(t, err)
		mu.Lock()
		for _, path := range blocks {
			if size := fileSize(t, path); synced[path] != size {
				t.Errorf("%s: synced %d bytes of %d", path, synced[path], size)
			}
		}
		mu.Unlock()
		if len(blocks) < 2 {
			t.Fatalf("got %d blocks, want several", len(blocks))
		}
	}
	must(t, s.Syncer().Wait(t.Context())) // lets go of those that it synced in the last round
	s.syncer.stop()
	defer func() { s.syncer = nil }() // stopped; Shutdown must not stop it again
	if got := len(s.blocks.streams["S"].live); got != 1 {
		t.Errorf("got %d open blocks, want the newest", got)
	}
}
