// Package stream keeps the events of aggregates in NATS JetStream and gives them out again.
//
// The model: every aggregate has one subject; each message on it is one flight, coded by
// package envelope, and names the sequence and the hash of the message before it. [Log.Append]
// publishes one message under the guard "the subject's last sequence is still this one", so two
// writers can never both extend a state. [Log.Load] goes back along that chain from the last
// message to a mark by gets of single sequences, eight in a flight, since each message also names
// some of those before it; then it yields forward. [Log.Subscribe] and
// [Log.Follow] stay and yield what comes.
//
// The layout says how many streams there are and which one an aggregate lives on; each is a lane,
// with an incarnation of its own. Marks and sequences are places in one stream, a [Position] is one
// in all of them. With the layouts per_tenant and per_type a stream is made by the first append that
// needs it, up to [Options.MaxStreams]; until then its aggregates are empty, and readers of it wait.
// Streams that others made are looked for when they are asked for, and every two seconds; on a
// server that is unshared nobody else makes any.
//
// A [Log] knows one incarnation of each stream at a time: name, creation time, the highest
// sequence seen and the highest known to be on disk. After each reconnect it compares them with
// the server's before anything else is asked; a stream made anew, or one that has lost its tail,
// starts a new incarnation, and marks taken in the old one are stale.
//
// Invariants: the same arguments of Append make the same bytes. No reader is given a message that
// is less durable than configured ([Syncer]). Every body is checked before it is given out: its
// tenant, gapless versions, the chain of hashes. An append whose outcome is not known is
// aggregate.ErrInDoubt and nothing else; a message found where a conflict was reported is ours
// only if its body is equal.
//
// Left to others: who may ask (the doors), when to try again and how big a flight gets (the
// engine), how a sync is done (internal/natsd). A circuit breaker stands before publish and
// request, through which all traffic passes, so that nobody waits long for a server that is away.
package stream
