package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
)

// wantQuota checks that err is a refusal for the quota that tells when to come again.
func wantQuota(t *testing.T, what string, err error) time.Duration {
	t.Helper()
	var u *aggregate.UnavailableError
	if !errors.As(err, &u) || !errors.Is(err, aggregate.ErrQuota) || u.RetryAfter <= 0 {
		t.Fatalf("%s: got %v, want ErrQuota with a time", what, err)
	}
	return u.RetryAfter
}

func keyFor(tenant aggregate.TenantID, n int) aggregate.Key {
	return aggregate.Key{Tenant: tenant, Type: "Account", ID: idOf(uint64(n))}
}

func TestQuotaOfCommandsPerSecond(t *testing.T) {
	w := newWorld(t)
	var now time.Duration
	w.opts.Monotonic = func() time.Duration { return now }
	start := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	w.opts.Clock = func() time.Time { return start.Add(now) }
	quotas := &Quotas{Default: Quota{Rate: 2}, Tenants: map[aggregate.TenantID]Quota{"vip": {}}}
	w.opts.Quota = quotas.Of
	e := w.start()
	first := command(account, "deposit", 1)
	do(t, e, first)
	do(t, e, command(account, "deposit", 1))
	_, err := e.Submit(context.Background(), command(account, "deposit", 1))
	after := wantQuota(t, "the third command in a second", err)
	if after < 400*time.Millisecond || after > 600*time.Millisecond {
		t.Errorf("got retry after %v, a token takes half a second", after)
	}
	if r := do(t, e, first); !r.Duplicate {
		t.Error("a repeat is free, and gets the first reply")
	}
	for range 5 { // another tenant has a quota of its own
		if _, err := e.Submit(context.Background(), command(keyFor("vip", 1), "deposit", 1)); errors.Is(err, aggregate.ErrQuota) {
			t.Error(err)
		}
	}
	now += after
	do(t, e, command(account, "deposit", 1))
	e.SetQuota(nil)
	for range 5 {
		do(t, e, command(account, "deposit", 1))
	}
	wantGapless(t, w.log, account)
}

// A command that is decided again after a conflict is paid for once.
func TestConflictsAreNotPaidTwice(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(), w.start()
	a.SetQuota(func(aggregate.TenantID) Quota { return Quota{Rate: 0.001, Burst: 2} })
	do(t, a, command(account, "deposit", 1))
	do(t, b, command(account, "deposit", 1))
	do(t, a, command(account, "deposit", 1)) // meets b's commit
	_, err := a.Submit(context.Background(), command(account, "deposit", 1))
	wantQuota(t, "the third command", err)
}

func TestQuotaInFlight(t *testing.T) {
	w := newWorld(t)
	w.opts.Quota = func(id aggregate.TenantID) Quota {
		if id == "tenant-a" {
			return Quota{InFlight: 2}
		}
		return Quota{}
	}
	e := w.start()
	do(t, e, command(account, "deposit", 1))
	hold := make(chan struct{})
	held := make(chan struct{}, 16)
	w.log.onAppend(func(_ int, key aggregate.Key, _ []aggregate.Commit) (bool, error) {
		if key == account {
			held <- struct{}{}
			<-hold
		}
		return true, nil
	})
	answers := make(chan error, 2)
	for i := range 2 {
		e.Start(context.Background(), command(account, "deposit", 1), func(_ *aggregate.Reply, err error) { answers <- err })
		if i == 0 {
			<-held
		}
	}
	_, err := e.Submit(context.Background(), command(account, "deposit", 1))
	wantQuota(t, "a third one in flight", err)
	_, err = e.State(context.Background(), account)
	wantQuota(t, "a read", err)
	if infos := e.Tenants(); infos[0].InFlight != 2 || infos[0].Quota.InFlight != 2 {
		t.Errorf("an operator sees %+v", infos)
	}
	other := keyFor("tenant-b", 7)
	e.Start(context.Background(), command(other, "deposit", 1), func(_ *aggregate.Reply, err error) {
		if err != nil {
			t.Errorf("another tenant: %v", err)
		}
	})
	close(hold)
	w.log.onAppend(nil)
	for range 2 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	// The owner frees before it answers, so there is room again.
	do(t, e, command(account, "deposit", 1))
	if n := e.tenants.all["tenant-a"].inFlight.Load(); n != 0 {
		t.Errorf("%d are still counted", n)
	}
}

func TestQuotaOfLiveAggregates(t *testing.T) {
	w := newWorld(t)
	var late time.Duration
	start := time.Now()
	w.opts.Monotonic = func() time.Duration { return time.Since(start) + late }
	w.opts.Quota = func(aggregate.TenantID) Quota { return Quota{Active: 2} }
	w.opts.IdleAfter = time.Hour
	e := w.start()
	for i := range 2 {
		do(t, e, command(keyFor("tenant-a", i+1), "deposit", 1))
	}
	third := command(keyFor("tenant-a", 3), "deposit", 1)
	_, err := e.Submit(context.Background(), third)
	wantQuota(t, "a third aggregate", err)
	do(t, e, command(keyFor("tenant-b", 1), "deposit", 1))
	// Those that idle make room, so a tenant goes through more aggregates than it may have at once.
	deadline := time.Now().Add(10 * time.Second)
	for ; err != nil && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		_, err = e.Submit(context.Background(), third)
	}
	if err != nil {
		t.Errorf("after a while: %v", err)
	}
	if n := e.tenants.all["tenant-a"].live; n > 2 {
		t.Errorf("%d are live, the quota is 2", n)
	}
}

// A mailbox takes so many and no more; who comes too late is told when to come again.
func TestMailboxIsBounded(t *testing.T) {
	w := newWorld(t)
	w.opts.MailboxSize = 3
	e := w.start()
	do(t, e, command(account, "deposit", 1))
	hold, held := make(chan struct{}), make(chan struct{}, 16)
	w.log.onAppend(func(_ int, key aggregate.Key, _ []aggregate.Commit) (bool, error) {
		if key == account {
			held <- struct{}{}
			<-hold
		}
		return true, nil
	})
	answers := make(chan error, 8)
	begin := func() {
		e.Start(context.Background(), command(account, "deposit", 1), func(_ *aggregate.Reply, err error) { answers <- err })
	}
	begin()
	<-held // the owner waits for its append; what comes now stays in the mailbox
	for range 3 {
		begin()
	}
	_, err := e.Submit(context.Background(), command(account, "deposit", 1))
	var u *aggregate.UnavailableError
	if !errors.As(err, &u) || !errors.Is(err, aggregate.ErrUnavailable) || u.RetryAfter <= 0 {
		t.Errorf("got %v", err)
	}
	w.log.onAppend(nil)
	close(hold)
	for range 4 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}
