package engine

import (
	"time"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// manifest is a Manifest made ready for owners.
type manifest struct {
	hash, engine string
	rules        map[aggregate.Type]*rules
}

// view is a state that may be read by anyone: nothing in it changes any more.
type view struct {
	rules   *rules
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

// fillCtx makes ctx what a rule saw, or will see, when the commit c was made at version; id is
// the aggregate's id as a value.
func fillCtx(ctx *vm.Ctx, key aggregate.Key, id value.V, c *aggregate.Commit, version aggregate.Version) bool {
	now, ok := value.TimeOf(c.Timestamp)
	*ctx = vm.Ctx{
		Now:         now,
		AggregateID: id,
		CommandID:   value.MakeUUID(c.CommandID),
		Tenant:      value.MakeString(string(key.Tenant)),
		Version:     value.MakeInt(int64(version)),
		Meta:        metaValue(c.Metadata, c.Actor),
		Roles:       rolesValue(c.Roles),
	}
	return ok
}

// Manifest is a set of compiled aggregates. It is not changed after it has been handed to an
// engine.
type Manifest struct {
	Hash     string // "sha256:…" of the source set
	Engine   string // engine and bytecode version, as kept with each commit
	Programs map[aggregate.Type]*vm.Program
}

// Swap makes m the manifest of every flight that begins from now on; flights under way end with
// the one they have. Live aggregates are taken over at their next work: as they are when the
// fingerprint of their rules is the same, else by a replay.
func (e *Engine) Swap(m *Manifest) {
	next := &manifest{hash: m.Hash, engine: m.Engine, rules: make(map[aggregate.Type]*rules, len(m.Programs))}
	for t, p := range m.Programs {
		next.rules[t] = newRules(p, e.opts.AllowUnknown)
	}
	e.manifest.Store(next)
}

// Manifest is the hash of the current set, empty before the first.
func (e *Engine) Manifest() string {
	if m := e.manifest.Load(); m != nil {
		return m.hash
	}
	return ""
}
