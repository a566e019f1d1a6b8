package engine

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/cloudlysis/aggregate"
)

// fakeLog is an event log in memory. Its function fields, when set, stand before an operation:
// they can fail it, delay it, or do something in between.
type fakeLog struct {
	// append is asked before each Append. With take false the error is the outcome and nothing
	// is stored; with take true the flight is judged and stored as usual, and then err, if any,
	// is what the caller hears.
	append func(n int, key aggregate.Key, commits []aggregate.Commit) (take bool, err error)
	load   func(key aggregate.Key) error
	at     func(key aggregate.Key, seq aggregate.Sequence) error
	latest func(key aggregate.Key) error

	unshared bool // IsLatest answers without looking, as for an embedded server

	mu      sync.Mutex
	msgs    map[aggregate.Key][]fakeMessage
	owners  map[string]aggregate.TenantID // of (type, id), when ids are exclusive
	seq     aggregate.Sequence
	stream  string
	inc     uint64
	appends int
	ats     int
	loads   int
	loaded  int // commits
}

type fakeMessage struct {
	mark    aggregate.Mark
	commits []aggregate.Commit
}

var _ EventLog = (*fakeLog)(nil)

func newFakeLog() *fakeLog {
	return &fakeLog{msgs: map[aggregate.Key][]fakeMessage{}, stream: "one", inc: 1}
}

// onAppend sets the append hook while the log is in use.
func (l *fakeLog) onAppend(f func(n int, key aggregate.Key, commits []aggregate.Commit) (bool, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.append = f
}

func (l *fakeLog) end(key aggregate.Key) aggregate.Mark {
	if m := l.msgs[key]; len(m) > 0 {
		return m[len(m)-1].mark
	}
	return aggregate.Mark{}
}

func (l *fakeLog) Append(ctx context.Context, key aggregate.Key, at aggregate.Mark, commits []aggregate.Commit) (aggregate.Mark, error) {
	l.mu.Lock()
	l.appends++
	n, hook := l.appends, l.append
	l.mu.Unlock()
	if hook != nil {
		take, err := hook(n, key, commits)
		if !take {
			return aggregate.Mark{}, err
		}
		if err != nil {
			if _, own := l.store(key, at, commits); own != nil {
				return aggregate.Mark{}, own
			}
			return aggregate.Mark{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return aggregate.Mark{}, err
	}
	return l.store(key, at, commits)
}

func (l *fakeLog) Begin(ctx context.Context, key aggregate.Key, at aggregate.Mark, commits []aggregate.Commit, done func(aggregate.Mark, time.Duration, error)) {
	commits = cloneCommits(commits) // nothing of it may be kept
	go func() {
		m, err := l.Append(ctx, key, at, commits)
		done(m, 0, err)
	}()
}

func (l *fakeLog) Prompt() bool { return l.unshared }

// store judges and keeps a flight; the same bytes in their place are no conflict.
func (l *fakeLog) store(key aggregate.Key, at aggregate.Mark, commits []aggregate.Commit) (aggregate.Mark, error) {
	body, err := json.Marshal(struct {
		Prev    [32]byte
		Commits []aggregate.Commit
	}{at.Hash, commits})
	if err != nil {
		return aggregate.Mark{}, err
	}
	hash := sha256.Sum256(body)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.owners != nil {
		name := string(key.Type) + key.ID.String()
		if t, ok := l.owners[name]; ok && t != key.Tenant {
			return aggregate.Mark{}, &aggregate.TenantAccessDeniedError{TenantID: key.Tenant}
		}
		l.owners[name] = key.Tenant
	}
	if l.end(key) != at {
		for _, m := range l.msgs[key] {
			if m.mark.Hash == hash {
				return m.mark, nil
			}
		}
		return aggregate.Mark{}, fmt.Errorf("%w: fake", aggregate.ErrConflict)
	}
	l.seq++
	mark := aggregate.Mark{Version: at.Version, Sequence: l.seq, Hash: hash, Stream: l.stream}
	for i := range commits {
		for j := range commits[i].Events {
			if mark.Version++; commits[i].Events[j].Version != mark.Version {
				panic("versions have a gap")
			}
		}
	}
	l.msgs[key] = append(l.msgs[key], fakeMessage{mark, cloneCommits(commits)})
	return mark, nil
}

func (l *fakeLog) Load(_ context.Context, key aggregate.Key, after aggregate.Mark) iter.Seq2[aggregate.Loaded, error] {
	return func(yield func(aggregate.Loaded, error) bool) {
		l.mu.Lock()
		msgs, hook, owner, exclusive := slices.Clone(l.msgs[key]), l.load, aggregate.TenantID(""), l.owners != nil
		if exclusive {
			owner, exclusive = l.owners[string(key.Type)+key.ID.String()], l.owners[string(key.Type)+key.ID.String()] != ""
		}
		l.loads++
		l.mu.Unlock()
		if hook != nil {
			if err := hook(key); err != nil {
				yield(aggregate.Loaded{}, err)
				return
			}
		}
		if exclusive && owner != key.Tenant {
			yield(aggregate.Loaded{}, &aggregate.TenantAccessDeniedError{TenantID: key.Tenant})
			return
		}
		if after != (aggregate.Mark{}) {
			i := slices.IndexFunc(msgs, func(m fakeMessage) bool { return m.mark == after })
			if i < 0 {
				yield(aggregate.Loaded{}, fmt.Errorf("%w: fake", aggregate.ErrStaleMark))
				return
			}
			msgs = msgs[i+1:]
		}
		for _, m := range msgs {
			for i, c := range m.commits {
				l.mu.Lock()
				l.loaded++
				l.mu.Unlock()
				if !yield(aggregate.Loaded{Commit: c, Mark: m.mark, Last: i == len(m.commits)-1}, nil) {
					return
				}
			}
		}
	}
}

func (l *fakeLog) At(_ context.Context, key aggregate.Key, seq aggregate.Sequence) ([]aggregate.Commit, aggregate.Version, error) {
	if l.at != nil {
		if err := l.at(key, seq); err != nil {
			return nil, 0, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ats++
	for _, m := range l.msgs[key] {
		if m.mark.Sequence == seq {
			return m.commits, m.mark.Version, nil
		}
	}
	return nil, 0, &aggregate.NotFoundError{Key: key}
}

func (l *fakeLog) IsLatest(_ context.Context, key aggregate.Key, at aggregate.Mark) (bool, error) {
	if l.latest != nil {
		if err := l.latest(key); err != nil {
			return false, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unshared || l.end(key) == at, nil
}

func (l *fakeLog) Incarnation() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inc
}

// cut loses the last n messages of key, as a power cut or an old backup does.
func (l *fakeLog) cut(key aggregate.Key, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.msgs[key] = l.msgs[key][:len(l.msgs[key])-n]
	l.inc++
}

// events are all events of key, in order.
func (l *fakeLog) events(key aggregate.Key) (out []aggregate.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.msgs[key] {
		for i := range m.commits {
			out = append(out, aggregate.EventsOf(key, &m.commits[i])...)
		}
	}
	return out
}

// twice gives a command id of key with more than one commit, and how many.
func (l *fakeLog) twice(key aggregate.Key) (aggregate.ID, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := map[aggregate.ID]int{}
	for _, m := range l.msgs[key] {
		for i := range m.commits {
			id := m.commits[i].CommandID
			if seen[id]++; seen[id] > 1 {
				return id, seen[id]
			}
		}
	}
	return aggregate.ID{}, 0
}

func (l *fakeLog) counts() (appends, messages int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.msgs {
		messages += len(m)
	}
	return l.appends, messages
}

// fakeStore is a snapshot store in memory; get and put, when set, can fail or block it.
type fakeStore struct {
	get func(aggregate.Key) error
	put func(*aggregate.Snapshot) error

	mu    sync.Mutex
	snaps map[aggregate.Key]aggregate.Snapshot
	puts  []aggregate.Version
}

var _ SnapshotStore = (*fakeStore)(nil)

func newFakeStore() *fakeStore { return &fakeStore{snaps: map[aggregate.Key]aggregate.Snapshot{}} }

func (s *fakeStore) Get(key aggregate.Key) (*aggregate.Snapshot, error) {
	if s.get != nil {
		if err := s.get(key); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	snap, ok := s.snaps[key]
	if !ok {
		return nil, nil
	}
	return &snap, nil
}

func (s *fakeStore) Put(snap *aggregate.Snapshot) error {
	if s.put != nil {
		if err := s.put(snap); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.snaps[snap.Key()]; ok && (old.Version > snap.Version || old.Version == snap.Version && old.Mark.Sequence >= snap.Mark.Sequence) {
		return aggregate.ErrConflict
	}
	s.snaps[snap.Key()] = *snap
	s.puts = append(s.puts, snap.Version)
	return nil
}

func (s *fakeStore) Delete(key aggregate.Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.snaps, key)
	return nil
}

// edit changes the stored snapshot of key.
func (s *fakeStore) edit(key aggregate.Key, f func(*aggregate.Snapshot)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := s.snaps[key]
	f(&snap)
	s.snaps[key] = snap
}

func (s *fakeStore) version(key aggregate.Key) aggregate.Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snaps[key].Version
}

// cloneCommits: what is given to Append stays the engine's.
func cloneCommits(commits []aggregate.Commit) []aggregate.Commit {
	out := slices.Clone(commits)
	for i := range out {
		out[i].Events = slices.Clone(out[i].Events)
	}
	return out
}
