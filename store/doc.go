// Package store keeps snapshots of aggregates in BuntDB, so that a load needs only the events
// after the last snapshot.
//
// The model: it is a cache. The log is the truth; whatever is absent or damaged here is replayed,
// so the files may be deleted at any time, also by the package itself: a file that cannot be read
// is removed and begun anew, a value whose checksum does not fit counts as absent. Tenants are
// spread over a few files ([Options.Shards]), since BuntDB has one lock a file and stands still
// for about a second when it shrinks a million values.
//
// Invariants: no snapshot is replaced by one of the same or an older version; a snapshot is given
// out only byte for byte as it was put, and only under the key it was put under, tenant included.
//
// Not promised: durability. BuntDB ignores errors of fsync, so nothing waits for one. Whether a
// snapshot still fits the log is for the engine to see, by its Mark.
package store
