package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// user is who runs aggd and owns its data: nobody that a machine knows by name.
const user = 65532

const binary = "/usr/local/bin/aggd"

// epoch is the time of every file and of the image: the first that a tar and a zip can say.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Spec is what an image is made of.
type Spec struct {
	Binary  string // static, for linux
	Certs   string
	Version string
	Arch    string
}

// write makes the image and its tarball; a broken one is not left behind.
func write(out, tag string, spec Spec) error {
	ref, err := name.NewTag(tag)
	if err != nil {
		return err
	}
	img, err := build(spec)
	if err != nil {
		return err
	}
	tmp := out + ".tmp"
	defer os.Remove(tmp) // absent after the rename
	if err := tarball.WriteToFile(tmp, ref, img); err != nil {
		return err
	}
	return os.Rename(tmp, out)
}

// build puts the layer and the configuration onto nothing.
func build(spec Spec) (v1.Image, error) {
	if err := checkStatic(spec.Binary); err != nil {
		return nil, err
	}
	files, err := layer(spec)
	if err != nil {
		return nil, err
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil })
	if err != nil {
		return nil, err
	}
	img, err := mutate.Append(empty.Image, mutate.Addendum{Layer: l, History: v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "internal/tools/image"}})
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(img, config(img, spec))
}

// checkStatic refuses a binary that wants a loader, of which the image has none.
func checkStatic(path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("%s: a binary for linux is expected: %w", path, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is linked dynamically (hint: CGO_ENABLED=0 go build)", path)
		}
	}
	return nil
}

func config(img v1.Image, spec Spec) *v1.ConfigFile {
	c, err := img.ConfigFile()
	if err != nil {
		panic("image: empty.Image has no configuration: " + err.Error()) // a defect of the library
	}
	c = c.DeepCopy()
	c.OS, c.Architecture, c.Created = "linux", spec.Arch, v1.Time{Time: epoch}
	c.Config = v1.Config{
		User:         fmt.Sprintf("%d:%d", user, user),
		Entrypoint:   []string{binary},
		Cmd:          []string{"serve"},
		Env:          []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "AGGREGATE_LISTEN=0.0.0.0:8080", "AGGREGATE_ADMIN_LISTEN=0.0.0.0:8081", "AGGREGATE_STORAGE_PATH=/data", "AGGREGATE_MANIFESTS=/manifests"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "8081/tcp": {}},
		Volumes:      map[string]struct{}{"/data": {}},
		WorkingDir:   "/",
		StopSignal:   "SIGTERM",
		Healthcheck:  &v1.HealthConfig{Test: []string{"CMD", binary, "health"}, Interval: 10 * time.Second, Timeout: 5 * time.Second, StartPeriod: time.Minute, Retries: 3},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "aggd",
			"org.opencontainers.image.description": "Serves aggregates that are declared in .agg manifests",
			"org.opencontainers.image.source":      "https://github.com/cloudlysis/aggregate",
			"org.opencontainers.image.version":     spec.Version,
		},
	}
	return c
}

// layer is a tar of all files, in order of their paths.
func layer(spec Spec) ([]byte, error) {
	certs, err := os.ReadFile(spec.Certs)
	if err != nil {
		return nil, fmt.Errorf("certificates: %w (hint: install ca-certificates, or -certs FILE)", err)
	}
	aggd, err := os.ReadFile(spec.Binary)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range []struct {
		path  string
		mode  int64
		owner int
		body  []byte // nil: a folder
	}{
		{"data/", 0o700, user, nil},
		{"etc/", 0o755, 0, nil},
		{"etc/ssl/", 0o755, 0, nil},
		{"etc/ssl/certs/", 0o755, 0, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, 0, certs},
		{"usr/", 0o755, 0, nil},
		{"usr/local/", 0o755, 0, nil},
		{"usr/local/bin/", 0o755, 0, nil},
		{"usr/local/bin/aggd", 0o755, 0, aggd},
	} {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: e.path, Mode: e.mode, Uid: e.owner, Gid: e.owner, Size: int64(len(e.body)), ModTime: epoch, Format: tar.FormatUSTAR}
		if e.body == nil {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.body); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
