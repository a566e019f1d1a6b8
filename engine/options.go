package engine

import (
	"errors"
	"log/slog"
	"time"

	"github.com/cloudlysis/aggregate"
)

// Options are what an [Engine] is made of. Log and EventID are required; of every other member
// the zero value means the default that its comment names.
type Options struct {
	Log EventLog
	// Snapshots may be nil: then every load replays from the beginning.
	Snapshots SnapshotStore
	// Manifest is the set to begin with; nil refuses every command until the first Swap.
	Manifest *Manifest
	// EventID derives the id of the event at index among the events of one command. It is a
	// pure function, so that deciding again gives the same ids; the format of stored messages
	// fixes which (stream/envelope.EventID).
	EventID func(key aggregate.Key, commandID aggregate.ID, at time.Time, index int) aggregate.ID

	// Clock is the wall clock (time.Now).
	Clock func() time.Time
	// Monotonic is a clock that only runs forward, against which Clock is judged (since the start).
	Monotonic func() time.Duration
	// MaxJump is how far Clock may jump against Monotonic, and how far ahead of Clock the last
	// commit of an aggregate may lie (1 min).
	MaxJump time.Duration

	// SnapshotThreshold is how many events, or commits if they are more, lie between two snapshots
	// (100); a manifest's `snapshot every` wins.
	SnapshotThreshold int
	// SnapshotQueue is how many snapshots wait to be written at most (1,024).
	SnapshotQueue int
	// MaxRetries is how often a flight is decided again after a conflict (5); below 0 never.
	MaxRetries int
	Backoff    Backoff
	// DoubtWait is how long a caller waits for an aggregate in doubt before it is told so (5 s).
	DoubtWait time.Duration
	// QuarantineFor is how long an aggregate that could not be read is not read again (30 s).
	QuarantineFor time.Duration

	// MaxLive is about how many aggregates are live at once (100,000): over it the longest idle
	// ones leave; a quarter over it, new ones are refused.
	MaxLive int
	// MaxLoads is how many aggregates are read from the log at once (256).
	MaxLoads int
	// IdleAfter is how long an aggregate stays live without work (10 min).
	IdleAfter time.Duration
	// MailboxSize is how many requests wait on one aggregate at most (4,096).
	MailboxSize int

	// TenancyRequired refuses the empty tenant.
	TenancyRequired bool
	// GasMax caps the gas of every command; 0 leaves it to the manifest.
	GasMax int64
	// MaxFlightBytes and MaxFlightCommits close a flight (256 KiB, 512).
	MaxFlightBytes   int
	MaxFlightCommits int
	// MaxCommitBytes is the greatest estimate of a single commit (1 MiB less 16 KiB); it keeps
	// below the server's max_payload.
	MaxCommitBytes int
	// HashCommands keeps only the hash of each command in its commit, not the payload.
	HashCommands bool
	// RememberNothing keeps a commit without events of each command that was accepted and changed
	// nothing, so that a repeat gets its first reply; else such a command leaves no message and is
	// decided anew when it comes again.
	RememberNothing bool

	// AllowUnknown tells of which events a replay passes over fields that the manifest does not
	// declare; nil refuses all: what a newer manifest wrote would be lost in silence.
	AllowUnknown func(t aggregate.Type, event string) bool

	// Quota gives the bounds of each tenant; nil: none. See [Quotas] and [Engine.SetQuota].
	Quota func(aggregate.TenantID) Quota
	// Admit, when set, is asked after the look-up of repeats and before anything is decided;
	// its error, such as a quota, is the reply. It must not block.
	Admit    func(*aggregate.Command) error
	Observer Observer
	Logger   *slog.Logger
}

// Backoff is the time between tries: it begins with Initial, doubles up to Max, and each wait
// is cut to a random part between a half and the whole.
type Backoff struct {
	Initial time.Duration // 5 ms
	Max     time.Duration // 1 s
}

const (
	defaultCommitBytes = 1<<20 - 16<<10
	// maxMetadataKeys and maxMetadataBytes bound a command's metadata and, apart, its roles.
	maxMetadataKeys  = 64
	maxMetadataBytes = 8 << 10
	retryAfter       = time.Second
)

func orDefault[T ~int | ~int64](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

func (o *Options) complete() error {
	if o.Log == nil {
		return errors.New("engine: Options.Log is missing")
	}
	if o.EventID == nil {
		return errors.New("engine: Options.EventID is missing")
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Monotonic == nil {
		start := time.Now()
		o.Monotonic = func() time.Duration { return time.Since(start) }
	}
	if o.Observer == nil {
		o.Observer = NopObserver{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	orDefault(&o.MaxJump, time.Minute)
	orDefault(&o.SnapshotThreshold, 100)
	orDefault(&o.SnapshotQueue, 1024)
	if o.MaxRetries == 0 {
		o.MaxRetries = 5
	}
	orDefault(&o.Backoff.Initial, 5*time.Millisecond)
	orDefault(&o.Backoff.Max, time.Second)
	orDefault(&o.DoubtWait, 5*time.Second)
	orDefault(&o.QuarantineFor, 30*time.Second)
	orDefault(&o.MaxLive, 100_000)
	orDefault(&o.MaxLoads, 256)
	orDefault(&o.IdleAfter, 10*time.Minute)
	orDefault(&o.MailboxSize, 4096)
	orDefault(&o.MaxFlightBytes, 256<<10)
	orDefault(&o.MaxFlightCommits, 512)
	orDefault(&o.MaxCommitBytes, defaultCommitBytes)
	return nil
}
