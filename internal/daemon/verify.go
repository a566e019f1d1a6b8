package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/config"
	"github.com/cloudlysis/aggregate/internal/telemetry"
	"github.com/cloudlysis/aggregate/stream"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// Damage is one thing that verify found wrong.
type Damage struct {
	Aggregate string             `json:"aggregate,omitempty"`
	Sequence  aggregate.Sequence `json:"sequence,omitempty"`
	What      string             `json:"what"` // message, header, chain, command, replay, snapshot
	Message   string             `json:"message"`
}

// Verified is what verify has seen.
type Verified struct {
	Messages   int      `json:"messages"`
	Commits    int      `json:"commits"`
	Events     int      `json:"events"`
	Aggregates int      `json:"aggregates"`
	Replayed   int      `json:"replayed"`        // aggregates rebuilt from their first event
	Snapshots  int      `json:"snapshots"`       // compared with a replay
	Stale      int      `json:"stale_snapshots"` // of other rules or another stream: the next load drops them
	Damage     []Damage `json:"damage"`
}

// VerifyOptions are what Verify is given.
type VerifyOptions struct {
	Settings config.Settings // validated
	Version  string
	Log      *slog.Logger
	// Diagnostics takes what the checker finds in the manifests.
	Diagnostics io.Writer
	// Sample is how many aggregates are replayed, chosen at random; 0: all.
	Sample int
	// Progress, when set, is called now and then with what has been seen.
	Progress func(Verified)
}

// Verify reads the whole log: every message must be readable; for each aggregate (of the sample)
// versions are gapless, the chain of hashes holds, no command has two commits, its hash is that of
// the command, every event is one that the manifests know and fits its declaration, and the
// snapshot is what a replay from the first event makes. With an embedded server the daemon must not
// be running on the same data.
func Verify(ctx context.Context, o VerifyOptions) (Verified, error) {
	o.Settings.NATSListen = "off"
	d := &daemon{opts: Options{Settings: o.Settings, Version: o.Version, Log: o.Log, Diagnostics: o.Diagnostics}, log: o.Log, metrics: telemetry.NewMetrics(o.Log), fatal: make(chan error, 1)}
	if err := d.loadManifests(); err != nil {
		return Verified{}, err
	}
	if o.Settings.NATSURL == "" {
		if _, err := os.Stat(d.path("nats")); err != nil {
			return Verified{}, fmt.Errorf("there is no log to verify: %w", err)
		}
	}
	v := &verifier{d: d, o: o}
	err := v.run(ctx)
	return v.out, errors.Join(err, d.close())
}

type verifier struct {
	d     *daemon
	o     VerifyOptions
	out   Verified
	keys  []aggregate.Key
	found int // snapshots of them
}

func (v *verifier) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{v.d.openServer, v.d.openLog, v.d.openStore, v.readAll} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	all := true
	if n := v.o.Sample; n > 0 && n < len(v.keys) {
		rand.Shuffle(len(v.keys), func(i, j int) { v.keys[i], v.keys[j] = v.keys[j], v.keys[i] })
		v.keys, all = v.keys[:n], false
	}
	for _, key := range v.keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		v.aggregate(ctx, key)
		v.progress()
	}
	v.snapshots(all)
	return nil
}

func (v *verifier) progress() {
	if v.o.Progress != nil {
		v.o.Progress(v.out)
	}
}

func (v *verifier) damage(key aggregate.Key, seq aggregate.Sequence, what string, err error) {
	d := Damage{Sequence: seq, What: what, Message: err.Error()}
	if key != (aggregate.Key{}) {
		d.Aggregate = key.String()
	}
	v.out.Damage = append(v.out.Damage, d)
}

// readAll reads every message up to where the log stands now.
func (v *verifier) readAll(ctx context.Context) error {
	end, err := v.d.stream.End(ctx)
	if err != nil {
		return err
	}
	var at stream.Position
	if at.Covers(end) {
		return nil // nothing is there
	}
	seen := map[aggregate.Key]bool{}
	for e, err := range v.d.stream.FollowFrom(ctx, envelope.Filter{AllTenants: true}, nil) {
		if err != nil && e.Sequence == 0 {
			return err
		}
		v.out.Messages++
		if err != nil {
			v.damage(e.Key, e.Sequence, "message", err)
		}
		v.out.Commits += len(e.Commits)
		for i := range e.Commits {
			v.out.Events += len(e.Commits[i].Events)
		}
		if e.Key != (aggregate.Key{}) && !seen[e.Key] {
			seen[e.Key] = true
			v.keys = append(v.keys, e.Key)
		}
		if at = at.After(e); at.Covers(end) {
			break
		}
		if v.out.Messages%1000 == 0 {
			v.progress()
		}
	}
	v.out.Aggregates = len(v.keys)
	return ctx.Err()
}
