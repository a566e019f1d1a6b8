package parsers

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
)

func release(t *testing.T) config.Project {
	t.Helper()
	p, err := config.Load(filepath.Join(root, ".goreleaser.yaml")) // strict: a field that goreleaser does not know is an error
	if err != nil {
		t.Fatal(err)
	}
	if p.Version != 2 || len(p.Builds) != 2 {
		t.Fatalf("got version %d, %d builds", p.Version, len(p.Builds))
	}
	return p
}

// stamped gives the flags of a build with its version.
func stamped(b config.Build, version string) []string {
	ld := strings.ReplaceAll(strings.Join(b.Ldflags, " "), "{{ .Version }}", version)
	return append(slices.Clone([]string(b.Flags)), "-ldflags", ld)
}

// Releases, the image and `make build` are built in one way.
func TestOneWayToBuild(t *testing.T) {
	docker := buildLine(t)
	for _, b := range release(t).Builds {
		flags := stamped(b, "$VERSION")
		if !slices.Equal(b.Env, []string{"CGO_ENABLED=0"}) || !strings.Contains(docker, "CGO_ENABLED=0") {
			t.Errorf("%s is not static", b.ID)
		}
		for _, f := range flags[:len(flags)-1] {
			if !strings.Contains(docker, f) {
				t.Errorf("the Dockerfile builds without %s", f)
			}
		}
		if !strings.Contains(docker, `"`+flags[len(flags)-1]+`"`) {
			t.Errorf("the Dockerfile does not link with %s: %s", flags[len(flags)-1], docker)
		}
	}
}

func TestReleaseTakesWhatIsThere(t *testing.T) {
	p := release(t)
	var names []string
	for _, a := range p.Archives {
		for _, f := range a.Files {
			names = append(names, f.Source)
		}
	}
	for _, n := range p.NFPMs {
		names = append(names, n.Scripts.PostInstall)
		for _, c := range n.Contents {
			if c.Source != "" {
				names = append(names, c.Source)
			}
		}
	}
	for _, b := range p.Builds {
		names = append(names, b.Main)
	}
	if len(names) < 9 {
		t.Errorf("only %q", names)
	}
	for _, n := range names {
		if m, err := filepath.Glob(filepath.Join(root, n)); err != nil || len(m) == 0 {
			t.Errorf("%s: nothing there (%v)", n, err)
		}
	}
}

// copyTree copies what .dockerignore lets through: what a builder of the image has.
func copyTree(t *testing.T) string {
	t.Helper()
	keep, dir := kept(t), t.TempDir()
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil || rel == "." {
			return err
		}
		if e.IsDir() && !keep(filepath.ToSlash(rel)) {
			return fs.SkipDir
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(dir, rel), 0o755)
		}
		if !e.Type().IsRegular() || !keep(filepath.ToSlash(rel)) {
			return nil
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, rel), b, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Two builds in two folders, the second with nothing in its cache, give the same bytes.
func TestBuildsAreReproducible(t *testing.T) {
	slow(t)
	out, empty := t.TempDir(), t.TempDir()
	for _, b := range release(t).Builds {
		var builds [2][]byte
		for i := range builds {
			env := slices.Clone(b.Env)
			if i == 1 {
				env = append(env, "GOCACHE="+empty)
			}
			bin := filepath.Join(out, b.Binary)
			goTool(t, copyTree(t), env, append(append([]string{"build", "-o", bin}, stamped(b, "1.2.3")...), b.Main)...)
			builds[i] = []byte(read(t, bin))
			if err := os.Remove(bin); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(builds[0], builds[1]) {
			t.Errorf("%s: two builds differ", b.ID)
		}
		if !bytes.Contains(builds[0], []byte("1.2.3")) || bytes.Contains(builds[0], []byte(out)) {
			t.Errorf("%s: no version in it, or a path of this machine", b.ID)
		}
	}
}

// Every platform of the release compiles.
func TestEveryPlatformBuilds(t *testing.T) {
	slow(t)
	out, src := t.TempDir(), copyTree(t)
	for _, b := range release(t).Builds {
		for _, goos := range b.Goos {
			for _, arch := range b.Goarch {
				env := append(slices.Clone(b.Env), "GOOS="+goos, "GOARCH="+arch)
				goTool(t, src, env, append(append([]string{"build", "-o", out + "/"}, stamped(b, "1.2.3")...), b.Main)...)
			}
		}
	}
}
