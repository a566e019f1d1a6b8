package engine

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/cloudlysis/aggregate"
)

func TestT7_4CommandProducesEventsWithTenant(t *testing.T) {
	e := newWorld(t).start()
	cmd := command(account, "deposit", 50)
	r := do(t, e, cmd)
	if len(r.Events) != 1 || r.Events[0].TenantID != "tenant-a" || r.Events[0].EventType != "deposited" || r.Events[0].CommandID != cmd.CommandID {
		t.Errorf("got %s", toJSON(t, r))
	}
	wantBalance(t, e, account, 50, 1)
}

func TestT7_6VersionIncrementsAfterCommand(t *testing.T) {
	e := newWorld(t).start()
	for want := aggregate.Version(1); want <= 5; want++ {
		if r := do(t, e, command(account, "deposit", 1)); r.Version != want {
			t.Fatalf("got version %d, want %d", r.Version, want)
		}
	}
	if r := do(t, e, command(account, "twice", 1)); r.Version != 7 || r.Events[0].Version != 6 || r.Events[1].Version != 7 {
		t.Errorf("two events of one command: got %s", toJSON(t, r))
	}
}

func TestRefusalsLeaveNoTrace(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	do(t, e, command(account, "deposit", 10))
	_, err := e.Submit(context.Background(), command(account, "withdraw", 11))
	if r := (*aggregate.RejectedError)(nil); !errors.As(err, &r) || r.Code != "insufficient_funds" {
		t.Errorf("overdraft: got %v", err)
	}
	_, err = e.Submit(context.Background(), command(account, "break", 1))
	if f := (*aggregate.FaultError)(nil); !errors.As(err, &f) || f.Kind != "overflow" {
		t.Errorf("fault: got %v", err)
	}
	_, err = e.Submit(context.Background(), command(account, "deposit", -1))
	if v := (*aggregate.ValidationError)(nil); !errors.As(err, &v) || v.Path != "amount" {
		t.Errorf("validation: got %v", err)
	}
	r := do(t, e, command(account, "touch", 0))
	if r.Version != 1 || len(r.Events) != 0 || r.Duplicate {
		t.Errorf("nothing: got %s", toJSON(t, r))
	}
	if appends, _ := w.log.counts(); appends != 1 {
		t.Errorf("got %d appends, want 1", appends)
	}
	wantBalance(t, e, account, 10, 1)
}

func TestShapeOfCommands(t *testing.T) {
	w := newWorld(t)
	w.opts.TenancyRequired = true
	e := w.start()
	for name, change := range map[string]func(*aggregate.Command){
		"tenant_id":      func(c *aggregate.Command) { c.TenantID = "a.b" },
		"tenant_id ":     func(c *aggregate.Command) { c.TenantID = "" },
		"aggregate_id":   func(c *aggregate.Command) { c.AggregateID = aggregate.ID{} },
		"aggregate_type": func(c *aggregate.Command) { c.AggregateType = "Unknown" },
		"command_id":     func(c *aggregate.Command) { c.CommandID = aggregate.ID{} },
		"":               func(c *aggregate.Command) { c.Payload = []byte(`[1]`) },
		" ":              func(c *aggregate.Command) { c.Payload = []byte(`{"a":1`) },
		"metadata":       func(c *aggregate.Command) { c.Metadata = map[string]string{"a": strings.Repeat("x", 9000)} },
		"metadata ":      func(c *aggregate.Command) { c.Metadata = map[string]string{"a": "\xff"} },
		"metadata.actor": func(c *aggregate.Command) { c.Metadata = map[string]string{"actor": "root"} },
		"roles":          func(c *aggregate.Command) { c.Roles = []string{"\xff"} },
	} {
		cmd := command(account, "deposit", 1)
		change(cmd)
		_, err := e.Submit(context.Background(), cmd)
		v := (*aggregate.ValidationError)(nil)
		if !errors.As(err, &v) || v.Path != strings.TrimSpace(name) {
			t.Errorf("%q: got %v", name, err)
		}
	}
	if appends, _ := w.log.counts(); appends != 0 || e.Live() != 0 {
		t.Errorf("%d appends, %d live after nothing but misshapen commands", appends, e.Live())
	}
}

func TestExpectedVersion(t *testing.T) {
	e := newWorld(t).start()
	at := func(v aggregate.Version, kind string) (*aggregate.Reply, error) {
		cmd := command(account, kind, 1)
		cmd.ExpectedVersion = &v
		return e.Submit(context.Background(), cmd)
	}
	if _, err := at(0, "deposit"); err != nil {
		t.Fatal(err)
	}
	_, err := at(0, "deposit")
	c := (*aggregate.VersionConflictError)(nil)
	if !errors.As(err, &c) || c.Expected != 0 || c.Actual != 1 {
		t.Errorf("stale: got %v", err)
	}
	if r, err := at(1, "deposit"); err != nil || r.Version != 2 {
		t.Errorf("current: got %v, %v", r, err)
	}
}

func TestSeed11_2ConcurrentCommandsAllAccepted(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	var wg sync.WaitGroup
	versions := make([]aggregate.Version, 10)
	for i := range versions {
		wg.Go(func() { versions[i] = do(t, e, command(account, "deposit", 10)).Version })
	}
	wg.Wait()
	seen := map[aggregate.Version]bool{}
	for _, v := range versions {
		seen[v] = true
	}
	for v := aggregate.Version(1); v <= 10; v++ {
		if !seen[v] {
			t.Errorf("nobody got version %d: %v", v, versions)
		}
	}
	wantBalance(t, e, account, 100, 10)
	wantGapless(t, w.log, account)
}

func TestRepeatGetsTheFirstReply(t *testing.T) {
	w := newWorld(t)
	e := w.start()
	cmd := command(account, "twice", 5)
	cmd.Metadata = map[string]string{"correlation_id": "c"}
	first := do(t, e, cmd)
	do(t, e, command(account, "withdraw", 10))
	stop(t, e)
	e = w.start()
	again := *cmd
	again.Payload = []byte(` {"amount": 5.0e0, "type" : "twice"} `) // the same value
	stale := aggregate.Version(77)
	again.ExpectedVersion = &stale // later checks do not matter to a repeat
	second := do(t, e, &again)
	if !second.Duplicate {
		t.Error("a repeat is not marked as one")
	}
	second.Duplicate = false
	if got, want := toJSON(t, second), toJSON(t, first); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	again.Payload = []byte(`{"type":"twice","amount":6}`)
	if _, err := e.Submit(context.Background(), &again); !errors.Is(err, aggregate.ErrCommandIDReused) {
		t.Errorf("another payload: got %v", err)
	}
	wantBalance(t, e, account, 0, 3)
}

func TestRefusedCommandIsDecidedAnew(t *testing.T) {
	e := newWorld(t).start()
	cmd := command(account, "withdraw", 5)
	if _, err := e.Submit(context.Background(), cmd); err == nil {
		t.Fatal("overdraft accepted")
	}
	do(t, e, command(account, "deposit", 5))
	if r := do(t, e, cmd); r.Duplicate || r.Version != 2 {
		t.Errorf("got %s", toJSON(t, r))
	}
}

func TestStateOfNobody(t *testing.T) {
	e := newWorld(t).start()
	_, err := e.State(context.Background(), account)
	if n := (*aggregate.NotFoundError)(nil); !errors.As(err, &n) || n.Key != account {
		t.Errorf("got %v", err)
	}
}
