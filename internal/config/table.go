package config

import (
	"fmt"
	"strconv"
	"time"
)

// Row is one setting.
type Row struct {
	Key     string // in the file; dots are sections
	Env     string
	Flag    string // of aggd serve; empty if it has none
	Default string
	Doc     string
	field
}

// field is how a setting is read, and its type in JSON Schema.
type field struct {
	kind string // string, integer, number, boolean, duration
	set  func(*Settings, string) error
	// show gives a value without what is secret in it; nil: nothing is.
	show func(string) string
}

// Table has every setting.
var Table = []Row{
	{"manifests", "AGGREGATE_MANIFESTS", "", "", "Directory of the manifest set, or its YAML or JSON index. Required; the argument of aggd serve.", text(func(s *Settings) *string { return &s.Manifests })},
	{"listen", "AGGREGATE_LISTEN", "listen", "127.0.0.1:8080", "Address of the data door: gRPC and HTTP on one port.", text(func(s *Settings) *string { return &s.Listen })},
	{"admin.listen", "AGGREGATE_ADMIN_LISTEN", "admin", "127.0.0.1:8081", "Address of the admin door: /health, /ready, /metrics.", text(func(s *Settings) *string { return &s.AdminListen })},
	{"nats.url", "AGGREGATE_NATS_URL", "nats", "", "URL of a NATS server with JetStream, or of several of one cluster with commas between; empty: an embedded server.", link(func(s *Settings) *string { return &s.NATSURL })},
	{"nats.listen", "AGGREGATE_NATS_LISTEN", "nats-listen", "127.0.0.1:4222", "Address of the embedded NATS server for other clients, or off.", text(func(s *Settings) *string { return &s.NATSListen })},
	{"data", "AGGREGATE_STORAGE_PATH", "data", "./data", "Directory for the embedded stream and the snapshots.", text(func(s *Settings) *string { return &s.Data })},
	{"sync", "AGGREGATE_SYNC", "sync", "group", "When a reply may be sent: group (one sync for all that wait), always (a sync for each message), interval (no wait; a power cut may lose the last interval). Of the embedded server only.", text(func(s *Settings) *string { return &s.Sync })},
	{"sync_interval", "AGGREGATE_SYNC_INTERVAL", "", "1s", "How often the embedded server syncs with sync: interval.", duration(func(s *Settings) *time.Duration { return &s.SyncInterval })},
	{"stream.layout", "AGGREGATE_STREAM_LAYOUT", "", "single", "How aggregates are spread over streams: single, sharded(n) with 2 to 256 streams, per_tenant or per_type. Another layout than that of the data is a migration.", text(func(s *Settings) *string { return &s.StreamLayout })},
	{"stream.max_streams", "AGGREGATE_STREAM_MAX_STREAMS", "", "1000", "Streams of the layouts per_tenant and per_type: a tenant or type that would need one more is refused. Those that are there are never refused.", integer(func(s *Settings) *int { return &s.StreamMax })},
	{"breaker.stream.failures", "AGGREGATE_BREAKER_STREAM_FAILURES", "", "5", "Failures in a row that open the stream's circuit.", integer(func(s *Settings) *int { return &s.StreamFailures })},
	{"breaker.stream.open", "AGGREGATE_BREAKER_STREAM_OPEN", "", "1s", "How long it stays open before a probe.", duration(func(s *Settings) *time.Duration { return &s.StreamOpen })},
	{"breaker.store.failures", "AGGREGATE_BREAKER_STORE_FAILURES", "", "5", "Failures in a row that open the circuit of the snapshots; while it is open, loads replay.", integer(func(s *Settings) *int { return &s.StoreFailures })},
	{"breaker.store.open", "AGGREGATE_BREAKER_STORE_OPEN", "", "5s", "How long it stays open before a probe.", duration(func(s *Settings) *time.Duration { return &s.StoreOpen })},
	{"snapshot.budget", "AGGREGATE_SNAPSHOT_BUDGET", "", "268435456", "Bytes of memory for snapshots; beyond it those go whose loss costs the shortest replay. The collector may need as much again.", integer64(func(s *Settings) *int64 { return &s.SnapshotBudget })},
	{"quota.rate", "AGGREGATE_QUOTA_RATE", "", "0", "New commands a second for each tenant; 0: no bound.", number(func(s *Settings) *float64 { return &s.QuotaRate })},
	{"quota.burst", "AGGREGATE_QUOTA_BURST", "", "0", "New commands at once after a pause; 0: a second's worth.", integer(func(s *Settings) *int { return &s.QuotaBurst })},
	{"quota.in_flight", "AGGREGATE_QUOTA_IN_FLIGHT", "", "0", "Commands and reads of a tenant that wait or are under way at once; 0: no bound.", integer(func(s *Settings) *int { return &s.QuotaInFlight })},
	{"quota.active", "AGGREGATE_QUOTA_ACTIVE", "", "0", "Live aggregates of a tenant; 0: no bound.", integer(func(s *Settings) *int { return &s.QuotaActive })},
	{"quota.tenants", "AGGREGATE_QUOTA_TENANTS", "", "", "YAML file with other quotas for some tenants: `acme: {rate: 100, burst: 200, in_flight: 50, active: 1000}`; read again on reload.", text(func(s *Settings) *string { return &s.QuotaTenants })},
	{"snapshot.threshold", "AGGREGATE_SNAPSHOT_THRESHOLD", "snapshot-threshold", "100", "Events, or commits if they are more, between two snapshots of an aggregate; a manifest's snapshot every comes first.", integer(func(s *Settings) *int { return &s.SnapshotThreshold })},
	{"retries.max", "AGGREGATE_MAX_RETRIES", "", "8", "How often a command is decided again after a version conflict.", integer(func(s *Settings) *int { return &s.MaxRetries })},
	{"idempotency.nothing", "AGGREGATE_IDEMPOTENCY_NOTHING", "", "forget", "A command that is accepted without an event: forget (it leaves no message and is decided anew when it comes again) or remember (it is stored as a commit without events, so a repeat gets the first reply). Set it the same on all nodes of a log.", text(func(s *Settings) *string { return &s.OnNothing })},
	{"tenancy.required", "AGGREGATE_TENANCY_REQUIRED", "", "false", "Refuse a command without x-tenant-id.", boolean(func(s *Settings) *bool { return &s.TenancyRequired })},
	{"tenancy.default", "AGGREGATE_TENANCY_DEFAULT", "", "", "The tenant when x-tenant-id is absent.", text(func(s *Settings) *string { return &s.TenancyDefault })},
	{"tenancy.ids", "AGGREGATE_TENANCY_IDS", "", "scoped", "scoped: each tenant has its own aggregate ids; exclusive: the first tenant that uses an id owns it.", text(func(s *Settings) *string { return &s.TenancyIDs })},
	{"gas.max", "AGGREGATE_GAS_MAX", "", "10000000", "Cap on the gas that a manifest may give its commands.", integer64(func(s *Settings) *int64 { return &s.GasMax })},
	{"live.max", "AGGREGATE_LIVE_MAX", "", "50000", "Aggregates kept live in memory; the least recently used leave first.", integer(func(s *Settings) *int { return &s.LiveMax })},
	{"live.idle", "AGGREGATE_LIVE_IDLE", "", "5m", "How long an aggregate stays live without a command.", duration(func(s *Settings) *time.Duration { return &s.LiveIdle })},
	{"clock.max_jump", "AGGREGATE_CLOCK_MAX_JUMP", "", "1m", "A greater jump of the wall clock refuses commands until it is mended.", duration(func(s *Settings) *time.Duration { return &s.ClockMaxJump })},
	{"insecure", "AGGREGATE_INSECURE", "insecure", "false", "Let a door listen off loopback without authentication.", boolean(func(s *Settings) *bool { return &s.Insecure })},
	{"tls.cert", "AGGREGATE_TLS_CERT", "", "", "PEM certificate chain of the doors; renewed files are taken up while running.", text(func(s *Settings) *string { return &s.TLSCert })},
	{"tls.key", "AGGREGATE_TLS_KEY", "", "", "PEM key of tls.cert.", text(func(s *Settings) *string { return &s.TLSKey })},
	{"tls.client_ca", "AGGREGATE_TLS_CLIENT_CA", "", "", "PEM certificates; clients need one signed by them (mTLS).", text(func(s *Settings) *string { return &s.TLSClientCA })},
	{"auth.tokens", "AGGREGATE_AUTH_TOKENS", "", "", "YAML file of hashed bearer tokens (aggd token makes one).", text(func(s *Settings) *string { return &s.AuthTokens })},
	{"auth.jwt.keys", "AGGREGATE_AUTH_JWT_KEYS", "", "", "JWKS file or URL whose keys sign the tokens that are believed.", link(func(s *Settings) *string { return &s.JWTKeys })},
	{"auth.jwt.issuer", "AGGREGATE_AUTH_JWT_ISSUER", "", "", "Required iss of a token.", text(func(s *Settings) *string { return &s.JWTIssuer })},
	{"auth.jwt.audience", "AGGREGATE_AUTH_JWT_AUDIENCE", "", "", "Required aud of a token.", text(func(s *Settings) *string { return &s.JWTAudience })},
	{"nats.creds", "AGGREGATE_NATS_CREDS", "", "", "Credentials file (JWT and seed) for nats.url.", text(func(s *Settings) *string { return &s.NATSCreds })},
	{"nats.nkey", "AGGREGATE_NATS_NKEY", "", "", "NKey seed file for nats.url.", text(func(s *Settings) *string { return &s.NATSNKey })},
	{"nats.ca", "AGGREGATE_NATS_CA", "", "", "PEM certificates that sign the server's of nats.url.", text(func(s *Settings) *string { return &s.NATSCA })},
	{"nats.cert", "AGGREGATE_NATS_CERT", "", "", "PEM client certificate for nats.url.", text(func(s *Settings) *string { return &s.NATSCert })},
	{"nats.key", "AGGREGATE_NATS_KEY", "", "", "PEM key of nats.cert.", text(func(s *Settings) *string { return &s.NATSKey })},
	{"limits.body", "AGGREGATE_LIMITS_BODY", "", "1048576", "Bytes of one command's payload.", integer64(func(s *Settings) *int64 { return &s.MaxBody })},
	{"shutdown.timeout", "AGGREGATE_SHUTDOWN_TIMEOUT", "", "30s", "How long a stop may wait for what is in flight.", duration(func(s *Settings) *time.Duration { return &s.ShutdownTimeout })},
	{"log.level", "AGGREGATE_LOG_LEVEL", "log-level", "info", "debug, info, warn or error.", text(func(s *Settings) *string { return &s.LogLevel })},
	{"log.socket", "AGGREGATE_LOGGER_SOCKET", "", "", "Unix socket that log lines go to as well; lines it does not take are dropped and counted.", text(func(s *Settings) *string { return &s.LoggerSocket })},
	{"tracing.url", "AGGREGATE_TRACING_URL", "", "", "OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318; empty: no spans.", link(func(s *Settings) *string { return &s.TracingURL })},
	{"tracing.ratio", "AGGREGATE_TRACING_RATIO", "", "0.01", "Share of the commands without a caller's span that are traced.", number(func(s *Settings) *float64 { return &s.TracingRatio })},
	{"log.environment", "AGGREGATE_ENVIRONMENT", "", "", "The field environment of each log line.", text(func(s *Settings) *string { return &s.Environment })},
}

func text(at func(*Settings) *string) field {
	return field{kind: "string", set: func(s *Settings, v string) error { *at(s) = v; return nil }}
}

// link is a text that may be a URL with a password in it.
func link(at func(*Settings) *string) field {
	f := text(at)
	f.show = Redact
	return f
}

func integer(at func(*Settings) *int) field {
	return field{kind: "integer", set: func(s *Settings, v string) (err error) {
		if *at(s), err = strconv.Atoi(v); err != nil {
			err = fmt.Errorf("an integer is expected, not %q", v)
		}
		return err
	}}
}

func integer64(at func(*Settings) *int64) field {
	return field{kind: "integer", set: func(s *Settings, v string) (err error) {
		if *at(s), err = strconv.ParseInt(v, 10, 64); err != nil {
			err = fmt.Errorf("an integer is expected, not %q", v)
		}
		return err
	}}
}

func number(at func(*Settings) *float64) field {
	return field{kind: "number", set: func(s *Settings, v string) (err error) {
		if *at(s), err = strconv.ParseFloat(v, 64); err != nil {
			err = fmt.Errorf("a number is expected, not %q", v)
		}
		return err
	}}
}

func boolean(at func(*Settings) *bool) field {
	return field{kind: "boolean", set: func(s *Settings, v string) (err error) {
		if *at(s), err = strconv.ParseBool(v); err != nil {
			err = fmt.Errorf("true or false is expected, not %q", v)
		}
		return err
	}}
}

func duration(at func(*Settings) *time.Duration) field {
	return field{kind: "duration", set: func(s *Settings, v string) (err error) {
		if *at(s), err = time.ParseDuration(v); err != nil {
			err = fmt.Errorf("a duration such as 30s, 5m or 1h30m is expected, not %q", v)
		}
		return err
	}}
}
