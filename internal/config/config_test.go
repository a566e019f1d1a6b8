package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func env(m map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := m[k]; return v, ok }
}

func settingsFile(t *testing.T, name, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestT3_1SettingsFromEnvironment(t *testing.T) {
	s, _, err := Load(Sources{Env: env(map[string]string{
		"AGGREGATE_NATS_URL": "nats://localhost:4222", "AGGREGATE_STORAGE_PATH": "/tmp/x",
		"AGGREGATE_SNAPSHOT_THRESHOLD": "7", "AGGREGATE_MAX_RETRIES": "3"})})
	if err != nil {
		t.Fatal(err)
	}
	if s.NATSURL != "nats://localhost:4222" || s.Data != "/tmp/x" || s.SnapshotThreshold != 7 || s.MaxRetries != 3 {
		t.Errorf("got %+v", s)
	}
}

// T3.2 in our form: the one required value is the manifest directory; all else has a default.
func TestT3_2DefaultsLackOnlyTheManifests(t *testing.T) {
	s := Default()
	s.Data = t.TempDir()
	err := s.Validate()
	if err == nil || !strings.HasPrefix(err.Error(), "manifests: ") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("got %v, want the manifests alone", err)
	}
	s.Manifests = t.TempDir()
	if err := s.Validate(); err != nil {
		t.Errorf("with manifests: %v", err)
	}
}

func TestPrecedenceAndOrigins(t *testing.T) {
	for _, f := range []string{
		settingsFile(t, "aggregate.yaml", "sync: always\nlisten: a:1\nadmin: {listen: a:2}\nlive.idle: 7m\ngas:\n  max: 5\n"),
		settingsFile(t, "aggregate.toml", "sync = \"always\"\nlisten = \"a:1\"\nadmin.listen = \"a:2\"\n[live]\nidle = \"7m\"\n[gas]\nmax = 5\n"),
	} {
		s, values, err := Load(Sources{File: f, Env: env(map[string]string{"AGGREGATE_LISTEN": "b:1", "AGGREGATE_ADMIN_LISTEN": "b:2"}), Flags: map[string]string{"listen": "c:1"}})
		if err != nil {
			t.Fatal(err)
		}
		if s.Listen != "c:1" || s.AdminListen != "b:2" || s.Sync != "always" || s.LiveIdle != 7*time.Minute || s.GasMax != 5 || s.MaxRetries != 8 {
			t.Errorf("%s: got %+v", f, s)
		}
		origins := map[string]string{}
		for _, v := range values {
			origins[v.Key] = v.Origin
		}
		if origins["listen"] != "flag" || origins["admin.listen"] != "AGGREGATE_ADMIN_LISTEN" || origins["sync"] != f || origins["retries.max"] != "default" {
			t.Errorf("got %v", origins)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"unknown key", "a.yaml", "snapshot: {treshold: 5}", `unknown setting "snapshot.treshold": did you mean "snapshot.threshold"?`},
		{"far off key", "a.yaml", "colour: red", `unknown setting "colour"`},
		{"not a number", "a.yaml", "retries: {max: many}", "retries.max"},
		{"broken yaml", "a.yaml", "a: [", "a.yaml"},
		{"broken toml", "a.toml", "a =", "a.toml"},
		{"other format", "a.ini", "", ".yaml or .toml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Load(Sources{File: settingsFile(t, tt.file, tt.text)})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if _, _, err := Load(Sources{File: "/nowhere/a.yaml"}); err == nil {
		t.Error("an absent file is no error")
	}
}

func TestOffLoopbackNeedsAuthentication(t *testing.T) {
	for _, mend := range []func(*Settings){
		func(s *Settings) { s.Insecure = true },
		func(s *Settings) { s.AuthTokens = "tokens.yaml" },
		func(s *Settings) { s.JWTKeys = "https://id/jwks" },
		func(s *Settings) { s.TLSCert, s.TLSKey, s.TLSClientCA = "c", "k", "ca" },
	} {
		s := Default()
		s.Data, s.Manifests, s.Listen, s.AdminListen = t.TempDir(), t.TempDir(), "0.0.0.0:8080", "[::]:8081"
		mend(&s)
		if err := s.Validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestValidateFinds(t *testing.T) {
	tests := []struct {
		want string
		mend func(*Settings)
	}{
		{"manifests", func(s *Settings) { s.Manifests = "/nowhere" }},
		{"listen", func(s *Settings) { s.Listen = "8080" }},
		{"nats.listen", func(s *Settings) { s.NATSListen = "x" }},
		{"nats.url", func(s *Settings) { s.NATSURL = "http://x" }},
		{"nats.url", func(s *Settings) { s.NATSURL = "localhost:4222" }},
		{"data", func(s *Settings) { s.Data = "/dev/null/x" }},
		{"sync", func(s *Settings) { s.Sync = "never" }},
		{"tenancy.ids", func(s *Settings) { s.TenancyIDs = "x" }},
		{"tenancy.default", func(s *Settings) { s.TenancyDefault = "a.b" }},
		{"log.level", func(s *Settings) { s.LogLevel = "loud" }},
		{"snapshot.threshold", func(s *Settings) { s.SnapshotThreshold = 0 }},
		{"snapshot.budget", func(s *Settings) { s.SnapshotBudget = 0 }},
		{"retries.max", func(s *Settings) { s.MaxRetries = -1 }},
		{"listen", func(s *Settings) { s.Listen = "0.0.0.0:8080" }},
		{"admin.listen", func(s *Settings) { s.AdminListen = ":8081" }},
		{"stream.layout", func(s *Settings) { s.StreamLayout = "sharded(1)" }},
		{"stream.layout", func(s *Settings) { s.StreamLayout, s.TenancyIDs = "sharded(4)", "exclusive" }},
		{"quota", func(s *Settings) { s.QuotaRate = -1 }},
		{"breaker.store.open", func(s *Settings) { s.StoreOpen = 0 }},
		{"tls.key", func(s *Settings) { s.TLSCert = "x" }},
		{"tls.client_ca", func(s *Settings) { s.TLSClientCA = "x" }},
		{"live.idle", func(s *Settings) { s.LiveIdle = 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			s := Default()
			s.Data, s.Manifests = t.TempDir(), t.TempDir()
			tt.mend(&s)
			if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), tt.want+": ") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
