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
		{"unknown key without a value", "a.yaml", "snapshots:", `unknown setting "snapshots"`},
		{"list", "a.yaml", "listen: [a, b]", "listen: one value is expected, not a list"},
		{"no integer", "a.yaml", "gas: {max: lots}", `gas.max (`},
		{"no integer, in words", "a.yaml", "gas: {max: lots}", `an integer is expected, not "lots"`},
		{"no boolean", "a.yaml", "insecure: perhaps", `true or false is expected, not "perhaps"`},
		{"no duration", "a.yaml", "live: {idle: 5}", `a duration such as 30s, 5m or 1h30m is expected, not "5"`},
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
	file := settingsFile(t, "some.pem", "")
	for _, mend := range []func(*Settings){
		func(s *Settings) { s.Insecure = true },
		func(s *Settings) { s.AuthTokens = file },
		func(s *Settings) { s.JWTKeys = "https://id/jwks" },
		func(s *Settings) { s.TLSCert, s.TLSKey, s.TLSClientCA = file, file, file },
		func(s *Settings) { s.TLSCert, s.TLSKey, s.TLSClientCA, s.NATSListen = file, file, file, "0.0.0.0:4222" },
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
	file := settingsFile(t, "some.pem", "")
	tests := []struct {
		want string
		mend func(*Settings)
	}{
		{"manifests", func(s *Settings) { s.Manifests = "/nowhere" }},
		{"manifests", func(s *Settings) { s.Manifests = file }},
		{"listen", func(s *Settings) { s.Listen = "8080" }},
		{"nats.listen", func(s *Settings) { s.NATSListen = "x" }},
		{"nats.url", func(s *Settings) { s.NATSURL = "http://x" }},
		{"nats.url", func(s *Settings) { s.NATSURL = "localhost:4222" }},
		{"nats.url", func(s *Settings) { s.NATSURL = "nats://a:4222,b:4222" }},
		{"nats.listen", func(s *Settings) { s.NATSListen = "0.0.0.0:4222" }},
		{"nats.listen", func(s *Settings) { s.NATSListen, s.JWTKeys = "0.0.0.0:4222", "https://id/jwks" }},
		{"listen", func(s *Settings) { s.Listen = "127.0.0.1:99999" }},
		{"tls.cert", func(s *Settings) { s.TLSCert, s.TLSKey = "/nowhere", "/nowhere" }},
		{"auth.tokens", func(s *Settings) { s.AuthTokens = "/nowhere" }},
		{"auth.tokens", func(s *Settings) { s.AuthTokens = "/" }},
		{"auth.jwt.keys", func(s *Settings) { s.JWTKeys = "/nowhere" }},
		{"auth.jwt.keys", func(s *Settings) { s.JWTKeys = "ftp://id/jwks" }},
		{"quota.tenants", func(s *Settings) { s.QuotaTenants = "/nowhere" }},
		{"nats.creds", func(s *Settings) { s.NATSCreds = "/nowhere" }},
		{"data", func(s *Settings) { s.Data = "/dev/null/x" }},
		{"sync", func(s *Settings) { s.Sync = "never" }},
		{"idempotency.nothing", func(s *Settings) { s.OnNothing = "maybe" }},
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
		{"stream.layout", func(s *Settings) { s.StreamLayout, s.TenancyIDs = "per_tenant", "exclusive" }},
		{"stream.layout", func(s *Settings) { s.StreamLayout = "per_tenants" }},
		{"stream.max_streams", func(s *Settings) { s.StreamMax = 0 }},
		{"quota", func(s *Settings) { s.QuotaRate = -1 }},
		{"breaker.store.open", func(s *Settings) { s.StoreOpen = 0 }},
		{"tls.key", func(s *Settings) { s.TLSCert = file }},
		{"tls.client_ca", func(s *Settings) { s.TLSClientCA = file }},
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

// TestSectionsWithoutValues: what is left when all lines of a section are commented out.
func TestSectionsWithoutValues(t *testing.T) {
	s, values, err := Load(Sources{File: settingsFile(t, "a.yaml", "tls:\ntenancy:\n  default:\nlog: {socket: }\nsync: always\n")})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Sync = "always"
	if s != want {
		t.Errorf("got %+v\nwant %+v", s, want)
	}
	for _, v := range values {
		if v.Key == "tenancy.default" && v.Origin != "default" {
			t.Errorf("got %+v", v)
		}
	}
}

// TestEnvironmentIsReadForSlips: a misspelt variable would otherwise be a setting that silently is not.
func TestEnvironmentIsReadForSlips(t *testing.T) {
	_, _, err := Load(Sources{Environ: []string{"AGGREGATE_SYNK=always", "AGGREGATE_DATA=/x", "AGGREGATE_RETRIES_MAX=3"}})
	want := "environment: unknown setting AGGREGATE_DATA: did you mean AGGREGATE_STORAGE_PATH?\n" +
		"environment: unknown setting AGGREGATE_RETRIES_MAX: did you mean AGGREGATE_MAX_RETRIES?\n" +
		"environment: unknown setting AGGREGATE_SYNK: did you mean AGGREGATE_SYNC?"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	var all []string
	for _, r := range Table {
		all = append(all, r.Env+"=")
	}
	all = append(all, "AGGREGATE_SERVER=http://x", "AGGREGATE_TOKEN=x", "AGGREGATE_NATS_PORT=tcp://10.0.0.1:4222", "AGGREGATE_SERVICE_HOST=10.0.0.1", "AGGREGATE_MANIFEST_DIR=x", "AGGREGATE_SYNK=", "SYNK=x")
	if _, _, err := Load(Sources{Environ: all}); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	tests := []struct{ in, want string }{
		{"nats://u:s3cret@h:4222", "nats://u:xxxxx@h:4222"},
		{"nats://u:s3cret@a:1,tls://T0K@b:2", "nats://u:xxxxx@a:1,tls://xxxxx@b:2"},
		{"nats://u:s3@cret@h o:4222", "nats://u:xxxxx@h o:4222"},
		{"https://id/jwks?key=s3cret", "https://id/jwks?xxxxx"},
		{"nats://h:4222", "nats://h:4222"},
		{"/etc/jwks.json", "/etc/jwks.json"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := Redact(tt.in); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.in, got, tt.want)
		}
	}
	s, values, err := Load(Sources{Flags: map[string]string{"nats.url": "nats://u:s3cret@h o:4222"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if strings.Contains(v.Shown(), "s3cret") {
			t.Errorf("%s shows %s", v.Key, v.Shown())
		}
	}
	if err := s.Validate(); err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "nats.url: ") {
		t.Errorf("got %v", err)
	}
}
