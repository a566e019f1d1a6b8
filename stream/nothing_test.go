package stream

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// Commits without events (idempotency.nothing: remember): the place moves on, the version does not.

// withNothing appends: nothing · two events, nothing and one event · nothing, nothing · one event · nothing.
func withNothing(t *testing.T, l *Log, key aggregate.Key) (marks []aggregate.Mark) {
	at := aggregate.Mark{}
	for _, events := range [][]int{{0}, {2, 0, 1}, {0, 0}, {1}, {0}} {
		var commits []aggregate.Commit
		v := at.Version
		for _, n := range events {
			commits = append(commits, commit(key, v, n))
			v += aggregate.Version(n)
		}
		at = mustAppend(t, l, key, at, commits...)
		marks = append(marks, at)
		grow(t, l, newKey("foreign"), aggregate.Mark{}, 1)
	}
	return marks
}

func TestNothingMovesTheMarkOnly(t *testing.T) {
	l := newLog(t, Options{})
	key := newKey("acme")
	marks := withNothing(t, l, key)
	for i, want := range []aggregate.Version{0, 3, 3, 4, 4} {
		m := marks[i]
		if m.Version != want || i > 0 && (m.Sequence <= marks[i-1].Sequence || m.Hash == marks[i-1].Hash) {
			t.Errorf("message %d: got %+v, want version %d at a later place", i, m, want)
		}
		if commits, v, err := l.At(t.Context(), key, m.Sequence); err != nil || v != want || len(commits) == 0 {
			t.Errorf("message %d: At gives %d commits, version %d, %v; want version %d", i, len(commits), v, err, want)
		}
		got, end, err := versions(l, key, m)
		if err != nil || !slices.Equal(got, count(want+1, 4)) || end != marks[4] {
			t.Errorf("after message %d: got %v up to %+v, %v", i, got, end, err)
		}
		latest, err := l.IsLatest(t.Context(), key, m)
		if err != nil || latest != (i == 4) {
			t.Errorf("message %d: latest is %v, %v", i, latest, err)
		}
	}
	if _, err := l.Append(t.Context(), key, marks[3], []aggregate.Commit{commit(key, 4, 1)}); err == nil {
		t.Error("an append after the same version, but before a commit without events, was taken")
	}
}

func TestNothingGivesNoEvent(t *testing.T) {
	l := newLog(t, Options{})
	key := newKey("acme")
	marks := withNothing(t, l, key)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for after := range aggregate.Version(5) {
		if got := collect(t, l.Events(ctx, key, after)); !slices.Equal(got, count(after+1, 4)) {
			t.Errorf("events after %d: got %v", after, got)
		}
	}
	written := make(chan struct{})
	go func() { // while others read
		defer close(written)
		m := mustAppend(t, l, key, marks[4], commit(key, 4, 0))
		m = mustAppend(t, l, key, m, commit(key, 4, 1), commit(key, 5, 0))
		m = mustAppend(t, l, key, m, commit(key, 5, 0))
		mustAppend(t, l, key, m, commit(key, 5, 1))
	}()
	for _, after := range []aggregate.Version{0, 3, 4} {
		var got []aggregate.Version
		for e, err := range l.Subscribe(ctx, key.Tenant, key.Type, key.ID, after) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, e.Version); e.Version == 6 {
				break
			}
		}
		if !slices.Equal(got, count(after+1, 6)) {
			t.Errorf("subscribed after %d: got %v", after, got)
		}
	}
	<-written
	var at Position
	end, err := l.End(ctx)
	if err != nil {
		t.Fatal(err)
	}
	messages, commits := 0, 0
	for e, err := range l.FollowFrom(ctx, envelope.Filter{Tenant: "acme"}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		messages, commits, at = messages+1, commits+len(e.Commits), at.After(e)
		if messages == 9 {
			break
		}
	}
	if commits != 13 || !at.Covers(end) {
		t.Errorf("got %d commits up to %v, the log ends at %v", commits, at, end)
	}
}

// A message without events has its version in a header only; without that, the messages before tell.
func TestAtNothingWithoutHeaders(t *testing.T) {
	l := newLog(t, Options{})
	for name, header := range map[string]nats.Header{
		"none": nil, "no number": {"agg-version": {"four"}}, "far too great": {"agg-version": {"18446744073709551615"}},
	} {
		t.Run(name, func(t *testing.T) {
			key := newKey("acme")
			var prev envelope.Hash
			for i, events := range []int{0, 2, 0, 0, 1, 0} {
				v := []aggregate.Version{0, 0, 2, 2, 2, 3}[i]
				b := body(t, key, prev, commit(key, v, events))
				seq := put(t, l, envelope.Single.Subject(key), header, b)
				prev = envelope.HashOf(b)
				if _, got, err := l.At(t.Context(), key, seq); err != nil || got != v+aggregate.Version(events) {
					t.Errorf("message %d: got version %d, %v", i, got, err)
				}
			}
			forged := body(t, key, envelope.Hash{1}, commit(key, 3, 0))
			seq := put(t, l, envelope.Single.Subject(key), header, forged)
			_, _, err := l.At(t.Context(), key, seq)
			wantErr(t, err, aggregate.ErrRehydration)
			seq = put(t, l, envelope.Single.Subject(key), nats.Header{"agg-version": {"3"}}, forged)
			if _, got, err := l.At(t.Context(), key, seq); err != nil || got != 3 { // what comes before is not read
				t.Errorf("with the header: got version %d, %v", got, err)
			}
		})
	}
}

func TestHeadersOfNothing(t *testing.T) {
	key := newKey("acme")
	m := envelope.Message{Key: key, Commits: []aggregate.Commit{commit(key, 7, 0), commit(key, 7, 0)}}
	h := envelope.Headers(&m, aggregate.Mark{Version: 7, Sequence: 20})
	if got := fmt.Sprint(h["agg-first-version"], h["agg-version"]); got != "[8] [7]" {
		t.Errorf("got %s", got)
	}
	if v, ok := envelope.VersionAfter(h); !ok || v != 7 {
		t.Errorf("got %d, %v", v, ok)
	}
}
