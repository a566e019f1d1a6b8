// Package store keeps snapshots of aggregates in BuntDB, so that a load needs only the events
// after the last snapshot.
//
// The model: it is a cache. The log is the truth; whatever is absent or damaged here is replayed,
// so the files may be deleted at any time, also by the package itself: a file that cannot be read
// is removed and begun anew, a value whose checksum does not fit counts as absent. All values are in
// memory, within [Options.Budget]: beyond it those go whose loss costs the shortest replay. Aggregates
// are spread over several files ([Options.Shards]), of one tenant as of many, since BuntDB has one
// lock a file and stands still while it swaps a file that it has shrunk; they are read side by side
// and in the background.
//
// Invariants: no snapshot is replaced by one of the same or an older version; a snapshot is given
// out only byte for byte as it was put, and only under the key it was put under, tenant included. What
// was just put stays, however small the budget.
//
// Not promised: durability. BuntDB ignores errors of fsync, so nothing waits for one. Whether a
// snapshot still fits the log is for the engine to see, by its Mark.
package store
