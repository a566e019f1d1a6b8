package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate"
)

// The model of the command handler: an account is a balance, a version and the replies given,
// whatever happens to engines, snapshots and appends in between.
type modelAccount struct {
	balance int64
	version aggregate.Version
	done    []modelDone
}

type modelDone struct {
	cmd   *aggregate.Command
	reply string
}

type handlerModel struct {
	t        testing.TB
	w        *world
	e        *Engine
	accounts map[aggregate.Key]*modelAccount
	keys     []aggregate.Key
}

func (m *handlerModel) key(t *rapid.T) (aggregate.Key, *modelAccount) {
	k := rapid.SampledFrom(m.keys).Draw(t, "key")
	return k, m.accounts[k]
}

// accept submits a command that must be accepted and moves the model on.
func (m *handlerModel) accept(t *rapid.T, key aggregate.Key, kind string, amount int, delta int64, events int) {
	a, cmd := m.accounts[key], command(key, kind, amount)
	if rapid.Bool().Draw(t, "expected version") {
		v := a.version
		cmd.ExpectedVersion = &v
	}
	r, err := m.e.Submit(context.Background(), cmd)
	if err != nil {
		t.Fatalf("%s %d: %v", kind, amount, err)
	}
	a.balance += delta
	a.version += aggregate.Version(events)
	if r.Version != a.version || len(r.Events) != events || r.Duplicate {
		t.Fatalf("%s: got %s, want version %d and %d events", kind, toJSON(m.t, r), a.version, events)
	}
	if events > 0 || m.w.opts.RememberNothing {
		a.done = append(a.done, modelDone{cmd, toJSON(m.t, r)})
	}
}

func (m *handlerModel) deposit(t *rapid.T) {
	key, _ := m.key(t)
	n := rapid.IntRange(0, 100).Draw(t, "amount")
	m.accept(t, key, "deposit", n, int64(n), 1)
}

func (m *handlerModel) twice(t *rapid.T) {
	key, _ := m.key(t)
	m.accept(t, key, "twice", 3, 6, 2)
}

func (m *handlerModel) touch(t *rapid.T) {
	key, _ := m.key(t)
	m.accept(t, key, "touch", 0, 0, 0)
}

func (m *handlerModel) withdraw(t *rapid.T) {
	key, a := m.key(t)
	n := rapid.IntRange(0, 150).Draw(t, "amount")
	if int64(n) <= a.balance {
		m.accept(t, key, "withdraw", n, -int64(n), 1)
		return
	}
	_, err := m.e.Submit(context.Background(), command(key, "withdraw", n))
	if r := (*aggregate.RejectedError)(nil); !errors.As(err, &r) || r.Code != "insufficient_funds" {
		t.Fatalf("overdraft: got %v", err)
	}
}

func (m *handlerModel) fault(t *rapid.T) {
	key, _ := m.key(t)
	_, err := m.e.Submit(context.Background(), command(key, "break", 0))
	if f := (*aggregate.FaultError)(nil); !errors.As(err, &f) {
		t.Fatalf("got %v", err)
	}
}

func (m *handlerModel) stale(t *rapid.T) {
	key, a := m.key(t)
	cmd, v := command(key, "deposit", 1), a.version+1
	cmd.ExpectedVersion = &v
	_, err := m.e.Submit(context.Background(), cmd)
	if c := (*aggregate.VersionConflictError)(nil); !errors.As(err, &c) || c.Actual != a.version {
		t.Fatalf("got %v", err)
	}
}

func (m *handlerModel) repeat(t *rapid.T) {
	_, a := m.key(t)
	if len(a.done) == 0 {
		t.Skip("nothing to repeat")
	}
	d := rapid.SampledFrom(a.done).Draw(t, "command")
	if rapid.IntRange(0, 3).Draw(t, "other payload") == 0 {
		other := *d.cmd
		other.Payload = []byte(`{"type":"deposit","amount":12345}`)
		if _, err := m.e.Submit(context.Background(), &other); !errors.Is(err, aggregate.ErrCommandIDReused) {
			t.Fatalf("got %v", err)
		}
		return
	}
	r, err := m.e.Submit(context.Background(), d.cmd)
	if err != nil || !r.Duplicate {
		t.Fatalf("got %v, %v", r, err)
	}
	r.Duplicate = false
	if got := toJSON(m.t, r); got != d.reply {
		t.Fatalf("got  %s\nwant %s", got, d.reply)
	}
}

func (m *handlerModel) burst(t *rapid.T) {
	key, a := m.key(t)
	n := rapid.IntRange(2, 20).Draw(t, "callers")
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range n {
		kind := rapid.SampledFrom([]string{"deposit", "deposit", "touch"}).Draw(t, "kind")
		if kind == "deposit" {
			a.balance++
			a.version++
		}
		wg.Go(func() {
			cmd := command(key, kind, 1)
			r, err := m.e.Submit(context.Background(), cmd)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("burst: %v", err)
				return
			}
			if kind == "deposit" || m.w.opts.RememberNothing {
				a.done = append(a.done, modelDone{cmd, toJSON(m.t, r)})
			}
		})
	}
	wg.Wait()
}

func (m *handlerModel) restart(t *rapid.T) {
	stop(m.t, m.e)
	m.begin(t)
}

// crash leaves the engine as it is; another takes over what the log has.
func (m *handlerModel) crash(t *rapid.T) { m.begin(t) }

func (m *handlerModel) begin(t *rapid.T) {
	m.w.opts.SnapshotThreshold = rapid.SampledFrom([]int{1, 2, 7, 1000}).Draw(t, "snapshot every")
	m.w.opts.MaxFlightCommits = rapid.SampledFrom([]int{1, 3, 512}).Draw(t, "flight commits")
	m.w.opts.RememberNothing = rapid.Bool().Draw(t, "remember nothing")
	m.e = m.w.start()
}

func (m *handlerModel) passivate(t *rapid.T) {
	leaveAll(m.e)
}

func (m *handlerModel) loseSnapshot(t *rapid.T) {
	key, _ := m.key(t)
	if err := m.w.store.Delete(key); err != nil {
		t.Fatal(err)
	}
}

func (m *handlerModel) swap(t *rapid.T) { m.e.Swap(bank(m.t)) }

// foreign is another node's commit.
func (m *handlerModel) foreign(t *rapid.T) {
	key, a := m.key(t)
	m.w.log.foreign(m.t, key, aggregate.NewID(), 2)
	a.balance += 2
	a.version++
}

// doubt loses the answer to the next append, which was taken or was not.
func (m *handlerModel) doubt(t *rapid.T) {
	taken, once := rapid.Bool().Draw(t, "taken"), sync.Once{}
	m.w.log.onAppend(func(int, aggregate.Key, []aggregate.Commit) (take bool, err error) {
		take = true
		once.Do(func() { take, err = taken, aggregate.ErrInDoubt })
		return take, err
	})
	rapid.SampledFrom([]func(*rapid.T){m.deposit, m.touch}).Draw(t, "command")(t)
	m.w.log.onAppend(nil)
}

func (m *handlerModel) check(t *rapid.T) {
	for _, key := range m.keys {
		a := m.accounts[key]
		if b, v := balance(m.t, m.e, key); b != a.balance || v != a.version {
			t.Fatalf("%s: got balance %d at version %d, want %d at %d", key, b, v, a.balance, a.version)
		}
		if events := m.w.log.events(key); len(events) != int(a.version) || !slices.IsSortedFunc(events, func(x, y aggregate.Event) int { return int(x.Version) - int(y.Version) }) {
			t.Fatalf("%s: the log has %d events, want %d", key, len(events), a.version)
		}
		if id, n := m.w.log.twice(key); n > 1 {
			t.Fatalf("%s: command %s has %d commits", key, id, n)
		}
	}
}

func TestHandlerAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := &handlerModel{t: t, w: newWorld(t), accounts: map[aggregate.Key]*modelAccount{}}
		m.w.opts.MaxRetries = 20
		for _, tenant := range []aggregate.TenantID{"", "tenant-a"} {
			for id := range uint64(2) {
				key := keyOf(tenant, id+1)
				m.keys, m.accounts[key] = append(m.keys, key), &modelAccount{}
			}
		}
		m.begin(r)
		r.Repeat(map[string]func(*rapid.T){
			"": m.check, "deposit": m.deposit, "twice": m.twice, "touch": m.touch, "withdraw": m.withdraw, "fault": m.fault, "stale": m.stale,
			"repeat": m.repeat, "burst": m.burst, "restart": m.restart, "crash": m.crash, "passivate": m.passivate,
			"loseSnapshot": m.loseSnapshot, "swap": m.swap, "foreign": m.foreign, "doubt": m.doubt,
		})
	})
}
