package engine

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/cloudlysis/aggregate"
)

// Quota bounds what one tenant does on this node. Of each member 0 means no bound. Over a bound the
// answer is an UnavailableError of aggregate.ErrQuota that tells when to come again; other tenants
// notice nothing.
type Quota struct {
	// Rate is how many new commands are decided in a second; repeats are free. Burst is how many at
	// once after a pause, by default a second's worth.
	Rate  float64
	Burst int
	// InFlight is how many commands and reads wait or are under way at once.
	InFlight int
	// Active is how many aggregates are live at once. Over it those that have been idle for a
	// second leave soon, so that the next try finds room.
	Active int
}

// Quotas are a default and, for some tenants, another one in its place.
type Quotas struct {
	Default Quota
	Tenants map[aggregate.TenantID]Quota
}

// Of is the quota of one tenant; it suits [Options.Quota].
func (q *Quotas) Of(id aggregate.TenantID) Quota {
	if own, ok := q.Tenants[id]; ok {
		return own
	}
	return q.Default
}

// quota is a Quota at work.
type quota struct {
	Quota
	tokens *rate.Limiter // nil without a bound
}

func newQuota(q Quota) *quota {
	w := &quota{Quota: q}
	if q.Rate > 0 {
		burst := q.Burst
		if burst <= 0 {
			burst = int(math.Ceil(q.Rate))
		}
		w.tokens = rate.NewLimiter(rate.Limit(q.Rate), burst)
	}
	return w
}

// SetQuota changes the quotas of all tenants, those at work too: nil lifts all bounds.
func (e *Engine) SetQuota(of func(aggregate.TenantID) Quota) {
	t := &e.tenants
	t.mu.Lock()
	defer t.mu.Unlock()
	t.quotaOf = of
	for id, x := range t.all {
		x.quota.Store(t.newQuota(id))
	}
}

func (t *tenants) newQuota(id aggregate.TenantID) *quota {
	if t.quotaOf == nil {
		return &quota{}
	}
	return newQuota(t.quotaOf(id))
}

func overQuota(after time.Duration, format string, args ...any) error {
	return &aggregate.UnavailableError{Reason: aggregate.ErrQuota, Message: fmt.Sprintf(format, args...), RetryAfter: after}
}

// spend takes a token for one new command; mono is a clock that only runs forward.
func (t *tenant) spend(mono time.Duration) error {
	q := t.quota.Load()
	if q.tokens == nil {
		return nil
	}
	now := time.Unix(0, 0).Add(mono)
	if q.tokens.AllowN(now, 1) {
		return nil
	}
	short := 1 - q.tokens.TokensAt(now)
	return overQuota(time.Duration(short/q.Rate*float64(time.Second)), "the tenant may have %g commands a second", q.Rate)
}

// join counts r in; it is counted out when it is freed.
func (t *tenant) join(r *request) error {
	n := t.inFlight.Add(1)
	if most := t.quota.Load().InFlight; most > 0 && n > int64(most) {
		t.inFlight.Add(-1)
		return overQuota(retryAfter, "the tenant may have %d commands and reads at once", most)
	}
	r.tenant = t
	return nil
}

// crowd refuses one more live aggregate if the tenant has all that it may have.
func (t *tenant) crowd() error {
	if most := t.quota.Load().Active; most > 0 && t.live >= most {
		t.crowded.Store(true)
		return overQuota(retryAfter, "the tenant may have %d live aggregates", most)
	}
	return nil
}

// idleBefore is how long an aggregate of a crowded tenant is idle before it is asked to leave.
const idleBefore = time.Second

// thin asks idle aggregates of tenants that are over their quota to leave.
func (e *Engine) thin() {
	if !e.tenants.anyCrowded() {
		return
	}
	before := e.opts.Monotonic() - idleBefore
	for _, o := range e.registry.all(func(o *owner) bool { return o.tenant.crowded.Load() && o.lastUsed <= before }) {
		o.leave()
	}
}

// anyCrowded tells whether a tenant has all the live aggregates that it may have.
func (t *tenants) anyCrowded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	any := false
	for _, x := range t.all {
		most := x.quota.Load().Active
		if x.crowded.Load() && (most <= 0 || x.live < most) {
			x.crowded.Store(false)
		}
		any = any || x.crowded.Load()
	}
	return any
}
