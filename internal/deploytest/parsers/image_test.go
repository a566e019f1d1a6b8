package parsers

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const imageVersion = "1.2.3"

// built is the image's tarball, made once for all tests; TestMain removes it.
var built struct {
	once sync.Once
	dir  string
	tar  string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// image builds aggd, puts the image together with the command of `make image` and reads it back.
func image(t *testing.T) v1.Image {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the image runs on linux")
	}
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "image")
		if err != nil {
			t.Fatal(err)
		}
		built.dir = dir
		aggd, out := filepath.Join(dir, "aggd"), filepath.Join(dir, "image.tar")
		goTool(t, root, []string{"CGO_ENABLED=0"}, "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+imageVersion, "-o", aggd, "./cmd/aggd")
		for _, o := range []string{out, out + ".again"} {
			goTool(t, root+"/internal/tools", nil, "run", "./image", "-binary", aggd, "-version", imageVersion, "-o", o)
		}
		if read(t, out) != read(t, out+".again") {
			t.Error("two images of the same files differ")
		}
		built.tar = out
	})
	if built.tar == "" {
		t.Fatal("the image could not be built")
	}
	img, err := tarball.ImageFromPath(built.tar, nil)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// unpack lays the image out as a container's root and gives its configuration.
func unpack(t *testing.T) (dir string, c v1.Config) {
	t.Helper()
	img := image(t)
	f, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	files := mutate.Extract(img)
	defer files.Close()
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		p := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(p, h.FileInfo().Mode().Perm())
		} else {
			var b []byte
			if b, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(p, b, h.FileInfo().Mode().Perm())
			}
		}
		if err == nil && os.Geteuid() == 0 {
			err = os.Lchown(p, h.Uid, h.Gid)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// What a container's mount brings along.
	if err := os.CopyFS(filepath.Join(dir, "manifests"), os.DirFS(root+"/examples/bank")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir, f.Config
}

// container starts a command of the image: as root in its own root folder as its own user, like
// docker; as anybody else with the folders' paths put right.
func container(dir string, c v1.Config, env []string, args ...string) *exec.Cmd {
	cmd := &exec.Cmd{Path: args[0], Args: args, Env: append(c.Env[:len(c.Env):len(c.Env)], env...), Dir: "/"}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: dir, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		return cmd
	}
	cmd.Path, cmd.Dir = filepath.Join(dir, args[0]), dir
	cmd.Env = append(cmd.Env, "AGGREGATE_STORAGE_PATH="+filepath.Join(dir, "data"), "AGGREGATE_MANIFESTS="+filepath.Join(dir, "manifests"))
	return cmd
}

// log is written by a process and read by the test.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var ready = regexp.MustCompile(`"msg":"ready".*?"listen":"([^"]+)","admin":"([^"]+)"`)

func TestImageServes(t *testing.T) {
	dir, c := unpack(t)
	free := []string{"AGGREGATE_LISTEN=127.0.0.1:0", "AGGREGATE_ADMIN_LISTEN=127.0.0.1:0", "AGGREGATE_NATS_LISTEN=off"}
	aggd := container(dir, c, free, append(c.Entrypoint, c.Cmd...)...)
	var out log
	aggd.Stdout, aggd.Stderr = &out, &out
	if err := aggd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- aggd.Wait() }()
	t.Cleanup(func() { _ = aggd.Process.Kill() })
	var addr []string
	for deadline := time.Now().Add(60 * time.Second); addr == nil; addr = ready.FindStringSubmatch(out.String()) {
		if time.Now().After(deadline) {
			t.Fatalf("not ready:\n%s", &out)
		}
		time.Sleep(20 * time.Millisecond)
	}
	in := func(args ...string) (string, error) {
		b, err := container(dir, c, nil, args...).CombinedOutput()
		return string(b), err
	}
	bin, id := c.Entrypoint[0], "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"
	for _, args := range [][]string{{"open_account", "initial_balance=0"}, {"deposit", "amount=100"}} {
		if got, err := in(append(append([]string{bin, "cmd", "Account", id}, args...), "--tenant", "acme", "--server", "http://"+addr[1])...); err != nil {
			t.Fatalf("%q: %v: %s\n%s", args, err, got, &out)
		}
	}
	if got, err := in(bin, "state", "Account", id, "--tenant", "acme", "--server", "http://"+addr[1]); err != nil || !strings.Contains(got, "100") {
		t.Errorf("got state %s, %v", got, err)
	}
	check := append(c.Healthcheck.Test[1:len(c.Healthcheck.Test):len(c.Healthcheck.Test)], "--admin", "http://"+addr[2])
	if got, err := in(check...); err != nil || !strings.Contains(got, `"`+imageVersion+`"`) {
		t.Errorf("health check: %v: %s", err, got)
	}
	if err := aggd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("after SIGTERM: %v\n%s", err, &out)
		}
	case <-time.After(40 * time.Second):
		t.Errorf("SIGTERM does not end it:\n%s", &out)
	}
	if got, err := in(check...); err == nil {
		t.Errorf("the health check of what has ended: %s", got)
	}
}

// Off loopback and without authentication the image serves nobody, unless told to.
func TestImageIsClosedByDefault(t *testing.T) {
	dir, c := unpack(t)
	out, err := container(dir, c, nil, append(c.Entrypoint, c.Cmd...)...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "insecure") {
		t.Errorf("got %v: %s", err, out)
	}
	if out, err := container(dir, c, nil, append(c.Entrypoint, "--help")...).CombinedOutput(); err != nil || !strings.Contains(string(out), "serve") {
		t.Errorf("--help: %v: %s", err, out)
	}
	if out, err := container(dir, c, []string{"AGGREGATE_INSECURE=true"}, append(c.Entrypoint, "config", "check")...).CombinedOutput(); err != nil {
		t.Errorf("config check: %v: %s", err, out)
	}
}
