package engine

import (
	"context"
	"iter"
	"time"

	"github.com/cloudlysis/aggregate"
)

// EventLog is the log that decisions are appended to; package stream implements it.
//
// A Mark comes from the log and goes back to it unread. All methods may be called side by side.
type EventLog interface {
	// Load yields the commits of key after the mark, in order; the zero Mark is the beginning.
	// Each comes with the mark of the message that holds it: after the last commit of a message
	// that mark is where the aggregate stands. Each commit is checked: tenant, gapless versions,
	// chain of hashes; what fails is ErrRehydration, ErrTenantAccessDenied or ErrManifestBehind.
	// A mark that the log does not know (restored backup, stream made anew) is aggregate.ErrStaleMark:
	// the caller drops what it had and loads from the beginning. Only what is as durable as
	// configured is yielded.
	Load(ctx context.Context, key aggregate.Key, after aggregate.Mark) iter.Seq2[aggregate.Loaded, error]
	// At gives the commits of the one message at the given sequence of key's stream, and the
	// version of the aggregate after it, so that a command id met in a filter is confirmed by one
	// read. Nothing at that sequence for this key is aggregate.ErrNotFound.
	At(ctx context.Context, key aggregate.Key, seq aggregate.Sequence) ([]aggregate.Commit, aggregate.Version, error)
	// Append adds the commits of one flight after at, all or none, and returns when they are as
	// durable as configured. It keeps nothing of commits. The same arguments make the same bytes, so a caller in doubt calls
	// it again with them. The error matches ErrConflict if key has moved on, ErrInDoubt if the
	// outcome is unknown, ErrTooLarge if the flight does not fit into one message,
	// ErrTenantAccessDenied if ids are exclusive and another tenant owns this one.
	Append(ctx context.Context, key aggregate.Key, at aggregate.Mark, commits []aggregate.Commit) (aggregate.Mark, error)
	// Begin is Append without the wait: done is called once with the outcome and how long, after it
	// had the message, the log waited for the disk. It may be called before Begin returns, on a
	// goroutine that many flights share: it must not block. The end of ctx ends the flight with
	// ErrInDoubt.
	Begin(ctx context.Context, key aggregate.Key, at aggregate.Mark, commits []aggregate.Commit, done func(m aggregate.Mark, synced time.Duration, err error))
	// Prompt tells whether IsLatest answers at once, without asking anybody.
	Prompt() bool
	// IsLatest tells whether at is still where key stands, as the log's leader sees it. A reply
	// that needs no append (a refusal, a read) rests on it. With an embedded, unshared server it
	// answers true without asking.
	IsLatest(ctx context.Context, key aggregate.Key, at aggregate.Mark) (bool, error)
	// Incarnation changes when marks taken earlier must no longer be trusted: the stream was
	// made anew, or its last sequence is below one that was acknowledged. Live aggregates of an
	// older incarnation are dropped.
	Incarnation() uint64
}

// SnapshotStore keeps snapshots; package store implements it. It is a cache: any of its
// contents may be absent at any time.
type SnapshotStore interface {
	// Get gives the snapshot of key, or nil when there is none or it cannot be read.
	Get(key aggregate.Key) (*aggregate.Snapshot, error)
	// Put keeps s unless one of the same or a later place is kept already: then the error
	// matches aggregate.ErrConflict. Of two with one version, the one whose mark has the greater
	// sequence is later: commits without events came in between.
	Put(s *aggregate.Snapshot) error
	// Delete drops the snapshot of key; an absent one is no error.
	Delete(key aggregate.Key) error
}
