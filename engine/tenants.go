package engine

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudlysis/aggregate"
)

// maxQuietTenants is how many tenants without live aggregates are remembered.
const maxQuietTenants = 10_000

// tenant is what the engine knows of one. Owners keep a pointer to it.
type tenant struct {
	id       aggregate.TenantID
	live     int          // owners; under tenants.mu
	activity atomic.Int64 // of the engine's clock that only runs forward; 0: none yet
	draining atomic.Bool
	quota    atomic.Pointer[quota]
	inFlight atomic.Int64
	crowded  atomic.Bool // an aggregate was refused for the quota
}

// touch notes activity, to a tenth of a second: a store for every command would have the cores fight
// for it.
func (x *tenant) touch(now time.Duration) {
	if last := x.activity.Load(); last == 0 || int64(now)-last > int64(100*time.Millisecond) {
		x.activity.Store(int64(now))
	}
}

type tenants struct {
	mu    sync.Mutex
	all   map[aggregate.TenantID]*tenant
	quiet int
	// quotaOf is Options.Quota or what SetQuota has put in its place.
	quotaOf func(aggregate.TenantID) Quota
}

// TenantInfo is one tenant as an operator sees it.
type TenantInfo struct {
	TenantID     aggregate.TenantID
	Aggregates   int       // live ones
	LastActivity time.Time // of the last command or read; zero if none yet
	Draining     bool
	InFlight     int   // commands and reads that wait or are under way
	Quota        Quota // in force
}

// get finds or makes id's entry; the caller holds mu.
func (t *tenants) get(id aggregate.TenantID) *tenant {
	x := t.all[id]
	if x != nil {
		return x
	}
	if t.all == nil {
		t.all = make(map[aggregate.TenantID]*tenant)
	}
	if t.quiet >= maxQuietTenants {
		t.forget()
	}
	x = &tenant{id: id}
	x.quota.Store(t.newQuota(id))
	t.all[id] = x
	t.quiet++
	return x
}

// forget drops one tenant that has nothing live and is not draining.
func (t *tenants) forget() {
	for id, x := range t.all {
		if x.live == 0 && !x.draining.Load() {
			delete(t.all, id)
			t.quiet--
			return
		}
	}
}

// enter counts one more live aggregate of a tenant, unless it has all that it may have.
func (t *tenants) enter(id aggregate.TenantID) (*tenant, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.get(id)
	if err := x.crowd(); err != nil {
		return nil, err
	}
	if x.live++; x.live == 1 {
		t.quiet--
	}
	return x, nil
}

func (t *tenants) leave(x *tenant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x.live--; x.live == 0 {
		t.quiet++
	}
}

// Tenants lists the tenants that had work here, by id.
func (e *Engine) Tenants() []TenantInfo {
	t, wall, mono := &e.tenants, e.opts.Clock(), int64(e.opts.Monotonic())
	t.mu.Lock()
	out := make([]TenantInfo, 0, len(t.all))
	for _, x := range t.all {
		info := TenantInfo{TenantID: x.id, Aggregates: x.live, Draining: x.draining.Load(), InFlight: int(x.inFlight.Load()), Quota: x.quota.Load().Quota}
		if ns := x.activity.Load(); ns != 0 {
			info.LastActivity = wall.Add(time.Duration(ns - mono)).UTC().Round(0)
		}
		out = append(out, info)
	}
	t.mu.Unlock()
	slices.SortFunc(out, func(a, b TenantInfo) int { return cmp.Compare(a.TenantID, b.TenantID) })
	return out
}

// Drain refuses every further command of the tenant but repeats, which still get their first
// reply, and returns when all that came before is settled and its aggregates have been asked to
// leave. If ctx ends first the tenant stays draining and the rest goes on by itself.
func (e *Engine) Drain(ctx context.Context, id aggregate.TenantID) error {
	e.tenants.mu.Lock()
	e.tenants.get(id).draining.Store(true)
	e.tenants.mu.Unlock()

	// Whoever is not seen here was made after the flag was set, and so decides nothing.
	owners := e.registry.all(func(o *owner) bool { return o.key.Tenant == id })
	waits := make([]*request, 0, len(owners))
	for _, o := range owners {
		r := e.newRequest(askBarrier, nil, 0)
		switch o.box.put(r, 0) {
		case putDrive:
			o.work = append(o.work, r)
			o.drive(true)
		case putClosed:
			r.free() // it has left: nothing of it is under way
			continue
		}
		waits = append(waits, r)
	}
	for i, r := range waits {
		if err := r.wait(ctx); err != nil {
			for _, rest := range waits[i+1:] {
				_ = rest.wait(ctx) // ctx has ended: gives each up at once
			}
			return err
		}
		r.free()
	}
	for _, o := range owners {
		o.leave()
	}
	return nil
}

// Resume takes back a Drain.
func (e *Engine) Resume(id aggregate.TenantID) {
	e.tenants.mu.Lock()
	defer e.tenants.mu.Unlock()
	e.tenants.get(id).draining.Store(false)
}
