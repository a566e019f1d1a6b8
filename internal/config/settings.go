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

var layoutForm = regexp.MustCompile(`^(single|sharded\(([2-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-6])\))$`)

var tenantForm = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]{0,62})?$`)

// Validate tells everything that is wrong, joined.
func (s *Settings) Validate() error {
	var errs []error
	bad := func(key, format string, a ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, a...)))
	}
	if s.Manifests == "" {
		bad("manifests", "the manifest directory is required")
	} else if _, err := os.Stat(s.Manifests); err != nil {
		bad("manifests", "%v", err)
	}
	checkAddress(bad, "listen", s.Listen)
	checkAddress(bad, "admin.listen", s.AdminListen)
	if s.NATSListen != "off" {
		checkAddress(bad, "nats.listen", s.NATSListen)
	}
	checkURL(bad, s.NATSURL)
	s.checkSecurity(bad)
	checkDir(bad, "data", s.Data)
	oneOf(bad, "sync", s.Sync, "group", "always", "interval")
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
		{"breaker.stream.failures", int64(s.StreamFailures)}, {"breaker.stream.open", int64(s.StreamOpen)}, {"breaker.store.failures", int64(s.StoreFailures)}, {"breaker.store.open", int64(s.StoreOpen)}} {
		if n.v < 1 {
			bad(n.key, "must be positive")
		}
	}
	if s.QuotaRate < 0 || s.QuotaBurst < 0 || s.QuotaInFlight < 0 || s.QuotaActive < 0 {
		bad("quota", "must not be negative")
	}
	if !layoutForm.MatchString(s.StreamLayout) {
		bad("stream.layout", "single or sharded(n), n from 2 to 256, is expected, not %q", s.StreamLayout)
	} else if s.StreamLayout != "single" && s.TenancyIDs == "exclusive" {
		bad("stream.layout", "tenancy.ids: exclusive guards all tenants in one stream: single is needed")
	}
	if u, err := url.Parse(s.TracingURL); s.TracingURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		bad("tracing.url", "a URL such as http://127.0.0.1:4318 is expected, not %q", s.TracingURL)
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
	known := s.AuthTokens != "" || s.JWTKeys != "" || s.TLSClientCA != ""
	if known || s.Insecure {
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

func checkAddress(bad report, key, addr string) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		bad(key, "host:port is expected: %v", err)
	}
}

func checkURL(bad report, s string) {
	if s == "" {
		return
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
		bad("nats.url", "a URL such as nats://127.0.0.1:4222 is expected, not %q", s)
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
		p = filepath.Dir(p)
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
