package engine

import (
	"encoding/json"
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// rules is one compiled aggregate type as the lifecycle sees it; [programRules] is it over a
// vm.Program. It is immutable and shared; the state it speaks of is one value for each field,
// and values are immutable, so a state is copied by copying the slice.
type rules interface {
	// fingerprint names the shape of the state, the apply rules and the upcasts.
	fingerprint() string
	// snapshotEvery is the manifest's wish, 0 for none.
	snapshotEvery() int
	// initial is the state of an aggregate without events; the slice is the caller's.
	initial() []value.V
	appendState(dst []byte, s []value.V) []byte
	decodeState(text []byte) ([]value.V, error)
	// derived is the JSON object of the derives over s, which may fault.
	derived(s []value.V) (json.RawMessage, error)
	// lend gives a machine for one goroutine, until it is given back.
	lend() machine
	giveBack(machine)
}

// machine runs rules, one at a time.
type machine interface {
	// replay applies a stored event to s in place. Its ctx is that of the stored commit. The
	// error matches aggregate.ErrManifestBehind for an event or field that the rules do not
	// know, aggregate.ErrRehydration for everything else.
	replay(s []value.V, ctx *vm.Ctx, e *aggregate.CommitEvent) error
	// read decodes and validates the payload of a command, a JSON object with its type. The
	// error is an aggregate.ValidationError.
	read(payload []byte) error
	// decide runs the command that read took in on s, which it does not change. The error is an
	// aggregate.RejectedError or FaultError. With nil, events gives what was emitted and store
	// writes the new state into s.
	decide(s []value.V, ctx *vm.Ctx, gasMax int64) error
	gas() int64
	// events appends the events of the accepted command: Type, Schema and Payload; the rest is
	// the caller's to fill. The payloads are not used again by the machine.
	events(dst []aggregate.CommitEvent) []aggregate.CommitEvent
	store(s []value.V)
}

// manifest is a Manifest made ready for owners.
type manifest struct {
	hash, engine string
	rules        map[aggregate.Type]rules
}

// view is a state that may be read by anyone: nothing in it changes any more.
type view struct {
	rules   rules
	state   []value.V
	mark    aggregate.Mark
	updated time.Time
}

var (
	metaType  = &value.Type{Kind: value.Map, Key: value.StringType, Elem: value.StringType}
	rolesType = &value.Type{Kind: value.Set, Elem: value.StringType}
)

// metaValue is ctx.meta: the metadata, and who asked under "actor".
func metaValue(meta map[string]string, actor string) value.V {
	if len(meta) == 0 && actor == "" {
		return value.V{}
	}
	b := value.NewBuilder(metaType, len(meta)+1)
	for k, v := range meta {
		b.Put(value.MakeString(k), value.MakeString(v))
	}
	if actor != "" {
		b.Put(value.MakeString(metaActor), value.MakeString(actor))
	}
	return b.Done()
}

func rolesValue(roles []string) value.V {
	if len(roles) == 0 {
		return value.V{}
	}
	b := value.NewBuilder(rolesType, len(roles))
	for _, r := range roles {
		b.Add(value.MakeString(r))
	}
	return b.Done()
}

// fillCtx makes ctx what a rule saw, or will see, when the commit c was made at version.
func fillCtx(ctx *vm.Ctx, key aggregate.Key, c *aggregate.Commit, version aggregate.Version) bool {
	now, ok := value.TimeOf(c.Timestamp)
	*ctx = vm.Ctx{
		Now:         now,
		AggregateID: value.MakeUUID(key.ID),
		CommandID:   value.MakeUUID(c.CommandID),
		Tenant:      value.MakeString(string(key.Tenant)),
		Version:     value.MakeInt(int64(version)),
		Meta:        metaValue(c.Metadata, c.Actor),
		Roles:       rolesValue(c.Roles),
	}
	return ok
}

// Manifest is a set of compiled aggregates, as one decision sees it. It is not changed after
// it has been handed to an engine.
type Manifest struct {
	Hash   string // "sha256:…" of the source set
	Engine string // engine and bytecode version, as kept with each commit

	rules map[aggregate.Type]rules
}

// Swap makes m the manifest of every flight that begins from now on. Flights under way end with
// the one they have.
func (e *Engine) Swap(m *Manifest) {
	e.manifest.Store(&manifest{hash: m.Hash, engine: m.Engine, rules: m.rules})
}
