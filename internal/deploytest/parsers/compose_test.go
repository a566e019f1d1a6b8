package parsers

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/cloudlysis/aggregate/internal/config"
)

// ofTheHost are mounts that no repository has.
var ofTheHost = map[string]bool{"/var/run/docker.sock": true}

func project(t *testing.T) *types.Project {
	t.Helper()
	opts, err := cli.NewProjectOptions([]string{filepath.Join(deploy, "compose.yaml")}, cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	p, err := opts.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestComposeMountsWhatIsThere(t *testing.T) {
	bound := 0
	for name, s := range project(t).Services {
		if s.Build != nil {
			if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			bound++
			if !v.ReadOnly {
				t.Errorf("%s: %s is writable", name, v.Source)
			}
			if _, err := os.Stat(v.Source); err != nil && !ofTheHost[v.Source] {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if bound < 8 {
		t.Errorf("only %d mounts", bound)
	}
}

func TestComposeIsCareful(t *testing.T) {
	p := project(t)
	for name, s := range p.Services {
		if !regexp.MustCompile(`:[v0-9][^:]*$|:local$`).MatchString(s.Image) {
			t.Errorf("%s: %s: no version", name, s.Image)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to others (%q)", name, port.Published, port.HostIP)
			}
		}
		for on, d := range s.DependsOn {
			if d.Condition == types.ServiceConditionHealthy && p.Services[on].HealthCheck == nil {
				t.Errorf("%s waits for %s, which has no health check", name, on)
			}
		}
		if s.Restart == "" || s.Logging == nil || s.Logging.Options["max-size"] == "" {
			t.Errorf("%s: no restart, or a log without a limit", name)
		}
	}
	m := regexp.MustCompile(`nats-server/v2 v(\S+)`).FindStringSubmatch(read(t, root, "go.mod"))
	if got := p.Services["nats"].Image; m == nil || got != "nats:"+m[1]+"-alpine" {
		t.Errorf("got %s, want the version that aggd embeds and is tested with: %v", got, m)
	}
}

// aggd starts with the environment of the image and the composition on top of it.
func TestComposeGivesAggdItsSettings(t *testing.T) {
	p := project(t)
	aggd := p.Services["aggd"]
	env := map[string]string{}
	for _, kv := range dockerConfig(t, "1").Env {
		k, v, _ := strings.Cut(kv, "=")
		env[k] = v
	}
	for k, v := range aggd.Environment {
		env[k] = *v
	}
	s, _, err := config.Load(config.Sources{Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	mounted := map[string]bool{}
	for _, v := range aggd.Volumes {
		mounted[v.Target] = true
	}
	if !mounted[s.Data] || !mounted[s.Manifests] {
		t.Errorf("%s and %s are wanted, %v is mounted", s.Data, s.Manifests, mounted)
	}
	if u, err := url.Parse(s.NATSURL); err != nil || p.Services[u.Hostname()].Image == "" {
		t.Errorf("%s: no such service (%v)", s.NATSURL, err)
	}
	if aggd.StopGracePeriod == nil || s.ShutdownTimeout.String() >= aggd.StopGracePeriod.String() {
		t.Errorf("docker kills after %v what may take %s", aggd.StopGracePeriod, s.ShutdownTimeout)
	}
	s.Data, s.Manifests = t.TempDir(), root+"/examples/bank"
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}

// Who names a host of the composition names a service.
func TestComposeServicesFindOneAnother(t *testing.T) {
	p := project(t)
	for path, find := range map[string]string{
		"prometheus/prometheus.yml":                        `targets: \[([a-z]+):\d+\]`,
		"alloy/config.alloy":                               `http://([a-z]+):\d+`,
		"grafana/provisioning/datasources/datasources.yml": `http://([a-z]+):\d+`,
	} {
		found := regexp.MustCompile(find).FindAllStringSubmatch(read(t, deploy, path), -1)
		if len(found) == 0 {
			t.Errorf("%s names nobody", path)
		}
		for _, m := range found {
			if _, ok := p.Services[m[1]]; !ok && m[1] != "localhost" {
				t.Errorf("%s: no service %s", path, m[1])
			}
		}
	}
}
