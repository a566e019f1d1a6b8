// Package aggregate holds the nouns that every room of the engine speaks: who owns an
// aggregate, what a command asks, what an event tells, how a decision is kept.
//
// The model: a [Command] reaches the aggregate named by its [Key]; a manifest decides; the
// accepted decision is one [Commit] with the [CommitEvent] facts it holds; the log answers
// with the [Mark] at which the aggregate then stands; a [Snapshot] keeps a state as of a Mark
// so that a later load is short. An [Event] is one fact in its own envelope, as readers of the
// log receive it.
//
// Invariants: a [Version] counts the events of one aggregate from 1 without gaps and is not a
// [Sequence], which is the log's own counter. A value of [TenantID], [Type] or [ID] made by its
// Parse function is safe as a token of a subject, a path and a label.
//
// The package does no I/O and has no clock.
package aggregate
