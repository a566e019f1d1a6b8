package parsers

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

func stages(t *testing.T) []instructions.Stage {
	t.Helper()
	f, err := os.Open(filepath.Join(deploy, "docker/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tree, err := parser.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Warnings) > 0 {
		t.Errorf("warnings: %v", tree.Warnings)
	}
	list, _, err := instructions.Parse(tree.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// dockerConfig is the configuration that docker gives the image of the last stage.
func dockerConfig(t *testing.T, version string) v1.Config {
	t.Helper()
	list := stages(t)
	c := v1.Config{
		Env:    []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, // BuildKit's, where the base has none
		Labels: map[string]string{}, ExposedPorts: map[string]struct{}{}, Volumes: map[string]struct{}{}, WorkingDir: "/",
	}
	unquoted := func(s string) string {
		if u, err := strconv.Unquote(s); err == nil {
			s = u
		}
		return strings.ReplaceAll(s, "$VERSION", version)
	}
	for _, cmd := range list[len(list)-1].Commands {
		switch cmd := cmd.(type) {
		case *instructions.EnvCommand:
			for _, kv := range cmd.Env {
				c.Env = append(c.Env, kv.Key+"="+unquoted(kv.Value))
			}
		case *instructions.LabelCommand:
			for _, kv := range cmd.Labels {
				c.Labels[kv.Key] = unquoted(kv.Value)
			}
		case *instructions.ExposeCommand:
			for _, p := range cmd.Ports {
				c.ExposedPorts[p+"/tcp"] = struct{}{}
			}
		case *instructions.VolumeCommand:
			for _, v := range cmd.Volumes {
				c.Volumes[v] = struct{}{}
			}
		case *instructions.UserCommand:
			c.User = cmd.User
		case *instructions.StopSignalCommand:
			c.StopSignal = cmd.Signal
		case *instructions.EntrypointCommand:
			noShell(t, cmd.ShellDependantCmdLine)
			c.Entrypoint = cmd.CmdLine
		case *instructions.CmdCommand:
			noShell(t, cmd.ShellDependantCmdLine)
			c.Cmd = cmd.CmdLine
		case *instructions.HealthCheckCommand:
			h := cmd.Health
			c.Healthcheck = &v1.HealthConfig{Test: h.Test, Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, Retries: h.Retries}
		case *instructions.CopyCommand, *instructions.ArgCommand:
		default:
			t.Errorf("%s: the image of scratch cannot have it, or make image does not know it", cmd.Name())
		}
	}
	return c
}

func noShell(t *testing.T, c instructions.ShellDependantCmdLine) {
	t.Helper()
	if c.PrependShell {
		t.Errorf("%q asks for a shell, of which the image has none", c.CmdLine)
	}
}

func TestDockerfile(t *testing.T) {
	list := stages(t)
	last := list[len(list)-1]
	if last.BaseName != "scratch" {
		t.Errorf("the image is made from %s", last.BaseName)
	}
	for _, cmd := range last.Commands {
		if c, ok := cmd.(*instructions.CopyCommand); ok && !slices.ContainsFunc(list, func(s instructions.Stage) bool { return s.Name == c.From }) {
			t.Errorf("COPY --from=%s: no such stage", c.From)
		}
	}
	c := dockerConfig(t, "1.2.3")
	if uid, _, _ := strings.Cut(c.User, ":"); uid == "" || uid == "0" || uid == "root" {
		t.Errorf("aggd runs as %q", c.User)
	}
	if want := append([]string{"CMD"}, append(slices.Clone(c.Entrypoint), "health")...); c.Healthcheck == nil || !slices.Equal(c.Healthcheck.Test, want) {
		t.Errorf("got health check %+v, want %q", c.Healthcheck, want)
	}
	if len(c.ExposedPorts) != 2 || len(c.Volumes) != 1 || c.Labels["org.opencontainers.image.version"] != "1.2.3" {
		t.Errorf("got %+v", c)
	}
}

// buildLine is the go build of the Dockerfile.
func buildLine(t *testing.T) string {
	t.Helper()
	for _, cmd := range stages(t)[0].Commands {
		if run, ok := cmd.(*instructions.RunCommand); ok && strings.Contains(strings.Join(run.CmdLine, " "), "go build") {
			return strings.Join(run.CmdLine, " ")
		}
	}
	t.Fatal("the Dockerfile builds nothing")
	return ""
}

// kept tells whether .dockerignore lets a file into the build.
func kept(t *testing.T) func(rel string) bool {
	t.Helper()
	lines, err := ignorefile.ReadAll(strings.NewReader(read(t, root, ".dockerignore")))
	if err != nil {
		t.Fatal(err)
	}
	m, err := patternmatcher.New(lines)
	if err != nil {
		t.Fatal(err)
	}
	return func(rel string) bool {
		out, err := m.MatchesOrParentMatches(rel)
		if err != nil {
			t.Fatal(err)
		}
		return !out
	}
}

// The build gets every file that aggd is compiled from, and none of what is large or secret.
func TestDockerignore(t *testing.T) {
	keep := kept(t)
	list := goTool(t, root, nil, "list", "-deps", "-f", `{{if .Module}}{{if .Module.Main}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`, "./cmd/aggd")
	abs, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	files := append(strings.Fields(list), filepath.Join(abs, "go.mod"), filepath.Join(abs, "go.sum"))
	if len(files) < 50 {
		t.Fatalf("only %q", files)
	}
	for _, f := range files {
		rel, err := filepath.Rel(abs, f)
		if err != nil {
			t.Fatal(err)
		}
		if !keep(filepath.ToSlash(rel)) {
			t.Errorf("%s is needed and kept out", rel)
		}
	}
	for _, f := range []string{".git/HEAD", "bin/aggd", "data/nats/x", "engine/engine_test.go", "dsl/testdata/a.txtar", "internal/tools/go.mod"} {
		if keep(f) {
			t.Errorf("%s would be sent to the builder", f)
		}
	}
}

func TestImageHasTheDockerfilesConfiguration(t *testing.T) {
	img := image(t)
	f, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	got, want := f.Config, dockerConfig(t, imageVersion)
	if !slices.Equal(got.Env, want.Env) || !slices.Equal(got.Entrypoint, want.Entrypoint) || !slices.Equal(got.Cmd, want.Cmd) ||
		got.User != want.User || got.StopSignal != want.StopSignal || got.WorkingDir != want.WorkingDir ||
		!maps.Equal(got.Labels, want.Labels) || !maps.Equal(got.ExposedPorts, want.ExposedPorts) || !maps.Equal(got.Volumes, want.Volumes) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	g, w := got.Healthcheck, want.Healthcheck
	if g == nil || !slices.Equal(g.Test, w.Test) || g.Interval != w.Interval || g.Timeout != w.Timeout || g.StartPeriod != w.StartPeriod || g.Retries != w.Retries {
		t.Errorf("got health check %+v, want %+v", g, w)
	}
}
