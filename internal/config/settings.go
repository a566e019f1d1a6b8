package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Settings are all settings, checked by Validate. What each is for stands in Table.
type Settings struct {
	Manifests         string
	Listen            string
	AdminListen       string
	NATSURL           string
	NATSListen        string
	Data              string
	Sync              string
	SyncInterval      time.Duration
	StreamLayout      string
	StreamMax         int
	StreamFailures    int
	StreamOpen        time.Duration
	StoreFailures     int
	StoreOpen         time.Duration
	QuotaRate         float64
	QuotaBurst        int
	QuotaInFlight     int
	QuotaActive       int
	QuotaTenants      string
	SnapshotThreshold int
	SnapshotBudget    int64
	MaxRetries        int
	OnNothing         string
	TenancyRequired   bool
	TenancyDefault    string
	TenancyIDs        string
	GasMax            int64
	LiveMax           int
	LiveIdle          time.Duration
	ClockMaxJump      time.Duration
	Insecure          bool
	TLSCert           string
	TLSKey            string
	TLSClientCA       string
	AuthTokens        string
	JWTKeys           string
	JWTIssuer         string
	JWTAudience       string
	NATSCreds         string
	NATSNKey          string
	NATSCA            string
	NATSCert          string
	NATSKey           string
	MaxBody           int64
	ShutdownTimeout   time.Duration
	LogLevel          string
	LoggerSocket      string
	TracingURL        string
	TracingRatio      float64
	Environment       string
}

// Default gives the settings of the table's defaults. They lack the one required value, the
// manifest directory, so they are not valid by themselves.
func Default() Settings {
	var s Settings
	for _, r := range Table {
		if err := r.set(&s, r.Default); err != nil && r.Default != "" {
			panic("config: default of " + r.Key + ": " + err.Error()) // a defect of the table
		}
	}
	return s
}

var layoutForm = regexp.MustCompile(`^(single|per_tenant|per_type|sharded\(([2-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-6])\))$`)

var tenantForm = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]{0,62})?$`)

// Validate tells everything that is wrong, joined.
func (s *Settings) Validate() error {
	var errs []error
	bad := func(key, format string, a ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, a...)))
	}
	if s.Manifests == "" {
		bad("manifests", "the manifest directory is required")
	} else if st, err := os.Stat(s.Manifests); err != nil {
		bad("manifests", "%v", err)
	} else if !st.IsDir() && !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(s.Manifests)) {
		bad("manifests", "a directory, or an index (.yaml, .yml, .json), is expected, not %s", s.Manifests)
	}
	checkAddress(bad, "listen", s.Listen)
	checkAddress(bad, "admin.listen", s.AdminListen)
	if s.NATSListen != "off" {
		checkAddress(bad, "nats.listen", s.NATSListen)
	}
	checkURL(bad, s.NATSURL)
	s.checkFiles(bad)
	s.checkSecurity(bad)
	checkDir(bad, "data", s.Data)
	oneOf(bad, "sync", s.Sync, "group", "always", "interval")
	oneOf(bad, "idempotency.nothing", s.OnNothing, "forget", "remember")
	oneOf(bad, "tenancy.ids", s.TenancyIDs, "scoped", "exclusive")
	oneOf(bad, "log.level", s.LogLevel, "debug", "info", "warn", "error")
	if !tenantForm.MatchString(s.TenancyDefault) {
		bad("tenancy.default", "invalid tenant id %q", s.TenancyDefault)
	}
	for _, n := range []struct {
		key string
		v   int64
	}{{"snapshot.threshold", int64(s.SnapshotThreshold)}, {"snapshot.budget", s.SnapshotBudget}, {"gas.max", s.GasMax}, {"live.max", int64(s.LiveMax)}, {"limits.body", s.MaxBody},
		{"sync_interval", int64(s.SyncInterval)}, {"live.idle", int64(s.LiveIdle)}, {"clock.max_jump", int64(s.ClockMaxJump)}, {"shutdown.timeout", int64(s.ShutdownTimeout)},
		{"stream.max_streams", int64(s.StreamMax)}, {"breaker.stream.failures", int64(s.StreamFailures)}, {"breaker.stream.open", int64(s.StreamOpen)}, {"breaker.store.failures", int64(s.StoreFailures)}, {"breaker.store.open", int64(s.StoreOpen)}} {
		if n.v < 1 {
			bad(n.key, "must be positive")
		}
	}
	if s.QuotaRate < 0 || s.QuotaBurst < 0 || s.QuotaInFlight < 0 || s.QuotaActive < 0 {
		bad("quota", "must not be negative")
	}
	if !layoutForm.MatchString(s.StreamLayout) {
		bad("stream.layout", "single, sharded(n) with n from 2 to 256, per_tenant or per_type is expected, not %q", s.StreamLayout)
	} else if s.TenancyIDs == "exclusive" && s.StreamLayout != "single" && s.StreamLayout != "per_type" {
		bad("stream.layout", "tenancy.ids: exclusive guards all tenants of an id in one stream: single or per_type is needed")
	}
	if u, err := url.Parse(s.TracingURL); s.TracingURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		bad("tracing.url", "a URL such as http://127.0.0.1:4318 is expected, not %q", Redact(s.TracingURL))
	}
	if !(s.TracingRatio >= 0 && s.TracingRatio <= 1) {
		bad("tracing.ratio", "0 to 1 is expected")
	}
	if s.MaxRetries < 0 {
		bad("retries.max", "must not be negative")
	}
	return errors.Join(errs...)
}

// checkSecurity asks for whole pairs of files, and for authentication where others than this
// machine reach a door.
func (s *Settings) checkSecurity(bad report) {
	for _, p := range []struct{ key, a, b string }{{"tls.key", s.TLSCert, s.TLSKey}, {"nats.key", s.NATSCert, s.NATSKey}} {
		if (p.a == "") != (p.b == "") {
			bad(p.key, "a certificate and its key belong together")
		}
	}
	if s.TLSClientCA != "" && s.TLSCert == "" {
		bad("tls.client_ca", "needs tls.cert and tls.key")
	}
	if s.Insecure {
		return
	}
	// No token is asked for at the NATS door's port before events are read there: only mTLS keeps others out.
	if s.NATSURL == "" && s.NATSListen != "off" && s.TLSClientCA == "" && !loopback(s.NATSListen) {
		bad("nats.listen", "%s is reached by others than this machine, who could read all events: set tls.client_ca, or off, or say --insecure", s.NATSListen)
	}
	known := s.AuthTokens != "" || s.JWTKeys != "" || s.TLSClientCA != ""
	if known {
		return
	}
	for _, d := range []struct{ key, addr string }{{"listen", s.Listen}, {"admin.listen", s.AdminListen}} {
		if !loopback(d.addr) {
			bad(d.key, "%s is reached by others than this machine: set auth.tokens, auth.jwt.keys or tls.client_ca, or say --insecure", d.addr)
		}
	}
}

// loopback tells whether only this machine reaches addr. A malformed one is reported elsewhere.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

type report func(key, format string, a ...any)

// checkFiles asks that every file that is named is there and readable: else the start would fail,
// or worse, a reload.
func (s *Settings) checkFiles(bad report) {
	for _, f := range []struct{ key, name string }{{"quota.tenants", s.QuotaTenants}, {"tls.cert", s.TLSCert}, {"tls.key", s.TLSKey}, {"tls.client_ca", s.TLSClientCA},
		{"auth.tokens", s.AuthTokens}, {"auth.jwt.keys", s.JWTKeys}, {"nats.creds", s.NATSCreds}, {"nats.nkey", s.NATSNKey}, {"nats.ca", s.NATSCA}, {"nats.cert", s.NATSCert}, {"nats.key", s.NATSKey}} {
		if f.name == "" || f.key == "auth.jwt.keys" && checkKeysURL(bad, f.name) {
			continue
		}
		r, err := os.Open(f.name)
		if err != nil {
			bad(f.key, "%v", err)
			continue
		}
		if st, err := r.Stat(); err == nil && st.IsDir() {
			bad(f.key, "%s is a directory, a file is expected", f.name)
		}
		_ = r.Close()
	}
}

// checkKeysURL tells whether name is a URL, and what is wrong with it.
func checkKeysURL(bad report, name string) bool {
	if !strings.Contains(name, "://") {
		return false
	}
	if u, err := url.Parse(name); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		bad("auth.jwt.keys", "a file or a URL such as https://id.example/jwks is expected, not %q", Redact(name))
	}
	return true
}

func checkAddress(bad report, key, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		bad(key, "host:port is expected: %v", err)
	}
}

// checkURL checks one URL, or several of one cluster with commas between.
func checkURL(bad report, s string) {
	if s == "" {
		return
	}
	for part := range strings.SplitSeq(s, ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			bad("nats.url", "a URL such as nats://127.0.0.1:4222 is expected, not %q", Redact(part))
		}
	}
}

// checkDir asks that dir can be made and written to, by its nearest parent that exists.
func checkDir(bad report, key, dir string) {
	if dir == "" {
		bad(key, "a directory is required")
		return
	}
	p := filepath.Clean(dir)
	for {
		st, err := os.Stat(p)
		if err == nil && !st.IsDir() {
			bad(key, "%s is not a directory", p)
			return
		}
		if err == nil {
			break
		}
		parent := filepath.Dir(p)
		if parent == p { // a drive that is not there
			bad(key, "there is no %s", p)
			return
		}
		p = parent
	}
	f, err := os.CreateTemp(p, ".aggd-*")
	if err != nil {
		bad(key, "not writable: %v", err)
		return
	}
	_ = f.Close()
	_ = os.Remove(f.Name())
}

func oneOf(bad report, key, v string, allowed ...string) {
	if !slices.Contains(allowed, v) {
		bad(key, "one of %q is expected, not %q", allowed, v)
	}
}
