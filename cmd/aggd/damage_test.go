package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/tidwall/buntdb"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/natsd"
	"github.com/cloudlysis/aggregate/store"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// wreck is the data of an aggd that has stopped, to be damaged.
type wreck struct {
	t   *testing.T
	dir string
	key aggregate.Key // of an account with an opening and two deposits, and a snapshot behind them
}

func (w *wreck) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// after appends a message as a writer past all checks would: what the log's last message of the
// account would be followed by, once spoil has changed it.
func (w *wreck) after(spoil func(last *envelope.Message, next *envelope.Message)) {
	w.t.Helper()
	w.append(func(last jetstream.RawStreamMsg) *nats.Msg {
		m, err := envelope.Decode(last.Data)
		w.must(err)
		c := m.Commits[len(m.Commits)-1]
		c.CommandID, c.Events = aggregate.NewID(), append([]aggregate.CommitEvent(nil), c.Events...)
		at := aggregate.Mark{Version: m.Last(), Sequence: aggregate.Sequence(last.Sequence), Hash: envelope.HashOf(last.Data)}
		for i := range c.Events {
			c.Events[i].EventID = envelope.EventID(w.key, c.CommandID, c.Timestamp, i)
			c.Events[i].Version = at.Version + aggregate.Version(i) + 1
		}
		next := &envelope.Message{Key: w.key, Prev: at.Hash, Commits: []aggregate.Commit{c}}
		headers := envelope.Headers(next, at)
		spoil(m, next)
		body, err := envelope.Encode(nil, next)
		w.must(err)
		return &nats.Msg{Header: headers, Data: body}
	})
}

// append puts what next makes of the account's last message behind it.
func (w *wreck) append(next func(last jetstream.RawStreamMsg) *nats.Msg) {
	w.t.Helper()
	s, err := natsd.Start(natsd.Options{Dir: filepath.Join(w.dir, "nats"), Listen: natsd.ListenOff, Logger: slog.New(slog.DiscardHandler)})
	w.must(err)
	defer s.Shutdown()
	nc, err := s.Connect("intruder")
	w.must(err)
	js, err := jetstream.New(nc)
	w.must(err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	log, err := js.Stream(ctx, "AGGREGATE_EVENTS")
	w.must(err)
	subject := envelope.Single.Subject(w.key)
	last, err := log.GetLastMsgForSubject(ctx, subject)
	w.must(err)
	m := next(*last)
	m.Subject = subject
	_, err = js.PublishMsg(ctx, m)
	w.must(err)
}

// snapshot changes the account's snapshot; the store gives it a checksum that fits.
func (w *wreck) snapshot(spoil func(*aggregate.Snapshot)) {
	w.t.Helper()
	s, err := store.Open(filepath.Join(w.dir, "snapshots"), store.Options{})
	w.must(err)
	snap, err := s.Get(w.key)
	w.must(err)
	if snap == nil || snap.Version != 3 {
		w.t.Fatalf("there is no snapshot of version 3: %+v", snap)
	}
	w.must(s.Delete(w.key))
	spoil(snap)
	w.must(s.Put(snap))
	w.must(s.Close())
}

// rot flips a bit of the account's snapshot on disk.
func (w *wreck) rot() {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.dir, "snapshots", "*.db"))
	w.must(err)
	n := 0
	for _, f := range files {
		db, err := buntdb.Open(f)
		w.must(err)
		w.must(db.Update(func(tx *buntdb.Tx) error {
			v, err := tx.Get(w.key.String())
			if err != nil {
				return nil
			}
			n++
			_, _, err = tx.Set(w.key.String(), v[:40]+string(v[40]^1)+v[41:], nil)
			return err
		}))
		w.must(db.Close())
	}
	if n != 1 {
		w.t.Fatalf("%d files have the snapshot", n)
	}
}

// TestVerifyFindsDamage: each kind of damage alone is found, named, and makes exit code 1; the
// aggregate beside it is not blamed.
func TestVerifyFindsDamage(t *testing.T) {
	whole, key := damageable(t)
	payload := func(text string) func(w *wreck) {
		return func(w *wreck) {
			w.after(func(_, next *envelope.Message) { next.Commits[0].Events[0].Payload = json.RawMessage(text) })
		}
	}
	tests := []struct {
		name  string
		spoil func(w *wreck)
		want  []string // what, and part of the message
	}{
		{"nothing", func(*wreck) {}, nil},
		{"a sound message", func(w *wreck) { w.after(func(_, _ *envelope.Message) {}) }, nil},
		{"gap", func(w *wreck) { w.after(func(_, next *envelope.Message) { next.Commits[0].Events[0].Version++ }) }, []string{"chain: begins with version 5, expected 4"}},
		{"a version twice", func(w *wreck) { w.after(func(_, next *envelope.Message) { next.Commits[0].Events[0].Version-- }) }, []string{"chain: begins with version 3, expected 4"}},
		{"prev", func(w *wreck) { w.after(func(_, next *envelope.Message) { next.Prev[7] ^= 1 }) }, []string{"chain: the chain is broken"}},
		{"prev of the message before", func(w *wreck) { w.after(func(last, next *envelope.Message) { next.Prev = last.Prev }) }, []string{"chain: the chain is broken"}},
		{"a field is missing", payload(`{}`), []string{"replay: deposited"}},
		{"a field of another type", payload(`{"amount":"ten"}`), []string{"replay: deposited"}},
		{"a field too much", payload(`{"amount":1,"colour":"red"}`), []string{"replay: deposited"}},
		{"an unknown event", func(w *wreck) {
			w.after(func(_, next *envelope.Message) { next.Commits[0].Events[0].Type = "melted" })
		}, []string{"replay: melted"}},
		{"an unknown schema", func(w *wreck) {
			w.after(func(_, next *envelope.Message) { next.Commits[0].Events[0].Schema = 77 })
		}, []string{"replay: deposited"}},
		{"hash of another command", func(w *wreck) {
			w.after(func(_, next *envelope.Message) { next.Commits[0].CommandHash = strings.Repeat("0a", 32) })
		}, []string{"command: command_hash 0a0a"}},
		{"another command", func(w *wreck) {
			w.after(func(_, next *envelope.Message) {
				next.Commits[0].Command = json.RawMessage(`{"type":"deposit","amount":2}`)
			})
		}, []string{"command: command_hash"}},
		{"a command twice", func(w *wreck) {
			w.after(func(last, next *envelope.Message) { next.Commits[0].CommandID = last.Commits[0].CommandID })
		}, []string{"command: has a second commit"}},
		{"no message", func(w *wreck) {
			w.append(func(jetstream.RawStreamMsg) *nats.Msg { return &nats.Msg{Data: []byte("hello")} })
		}, []string{"message: ", "chain: "}},
		{"another's body", func(w *wreck) {
			w.after(func(_, next *envelope.Message) { next.Key.ID = aggregate.NewID() })
		}, []string{"message: is of ", "chain: is of "}},
		{"another tenant's body", func(w *wreck) { w.after(func(_, next *envelope.Message) { next.Key.Tenant = "globex" }) }, []string{"message: globex", "chain: globex"}},
		{"version of a message without events", func(w *wreck) { // its headers are those of one event
			w.after(func(_, next *envelope.Message) { next.Commits[0].Events = nil })
		}, []string{"header: it says version 4, the aggregate is at 3"}},

		{"state", func(w *wreck) {
			w.snapshot(func(s *aggregate.Snapshot) {
				s.State = json.RawMessage(strings.Replace(string(s.State), `"balance":2`, `"balance":2000`, 1))
			})
		}, []string{`snapshot: "balance":2000`}},
		{"command ids", func(w *wreck) { w.snapshot(func(s *aggregate.Snapshot) { s.Commands = []byte{1, 0, 0} }) }, []string{"snapshot: command ids"}},
		{"version", func(w *wreck) { w.snapshot(func(s *aggregate.Snapshot) { s.Version, s.Mark.Version = 2, 2 }) }, []string{"snapshot: says version 2"}},
		{"hash of the mark", func(w *wreck) { w.snapshot(func(s *aggregate.Snapshot) { s.Mark.Hash[0] ^= 1 }) }, []string{"snapshot: another message"}},
		{"time", func(w *wreck) {
			w.snapshot(func(s *aggregate.Snapshot) { s.UpdatedAt = s.UpdatedAt.Add(time.Second) })
		}, []string{"snapshot: updated_at"}},
		{"ahead of the log", func(w *wreck) {
			w.snapshot(func(s *aggregate.Snapshot) { s.Mark.Sequence, s.Version, s.Mark.Version = 99, 4, 4 })
		}, []string{"snapshot: which the log does not have"}},
		{"unreadable", func(w *wreck) { w.rot() }, []string{"snapshot: 1 cannot be read"}},
		{"of an aggregate that is not there", func(w *wreck) {
			w.snapshot(func(s *aggregate.Snapshot) { s.AggregateID = aggregate.NewID() })
		}, []string{"snapshot: 1 are of aggregates that the log does not have"}},
		{"of another stream", func(w *wreck) { w.snapshot(func(s *aggregate.Snapshot) { s.Mark.Stream = "other" }) }, nil},
		{"of other rules", func(w *wreck) { w.snapshot(func(s *aggregate.Snapshot) { s.Fingerprint = "other" }) }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &wreck{t: t, dir: filepath.Join(t.TempDir(), "data"), key: key}
			w.must(os.CopyFS(w.dir, os.DirFS(whole)))
			tt.spoil(w)
			w.wantFound(tt.want)
		})
	}
}

// damageable makes the data of two accounts.
func damageable(t *testing.T) (dir string, key aggregate.Key) {
	dir = t.TempDir()
	n := start(t, bank, dir)
	for range 2 {
		key = aggregate.Key{Tenant: "acme", Type: "Account", ID: aggregate.NewID()}
		n.Want(n.Command(key.ID, `{"type":"open_account"}`), 200, 1)
		for v := range uint64(2) {
			n.Want(n.Command(key.ID, `{"type":"deposit","amount":1}`), 200, v+2)
		}
	}
	if code := n.Stop(); code != 0 {
		t.Fatalf("exit %d\n%s", code, n.Log)
	}
	return dir, key
}

// wantFound runs the real verify and compares what it finds, and its exit code.
func (w *wreck) wantFound(want []string) {
	w.t.Helper()
	c := aggd("verify", bank, "--data", w.dir, "--format", "json")
	out, err := c.Output()
	code := 0
	if len(want) > 0 {
		code = 1
	}
	if got := c.ProcessState.ExitCode(); got != code {
		w.t.Fatalf("exit %d, want %d (%v): %s", got, code, err, out)
	}
	var found struct {
		Aggregates int
		Damage     []struct{ Aggregate, What, Message string }
	}
	w.must(json.Unmarshal(out, &found))
	if len(found.Damage) != len(want) || found.Aggregates != 2 {
		w.t.Fatalf("got %s, want %q", out, want)
	}
	for i, d := range found.Damage {
		what, part, _ := strings.Cut(want[i], ": ")
		if d.What != what || !strings.Contains(d.Message, part) || d.Aggregate != "" && d.Aggregate != w.key.String() {
			w.t.Errorf("got %+v, want %s", d, want[i])
		}
	}
}
