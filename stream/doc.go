// Package stream keeps the events of aggregates in NATS JetStream and gives them out again.
//
// The model: every aggregate has one subject; each message on it is one flight, coded by
// package envelope, and names the sequence and the hash of the message before it. [Log.Append]
// publishes one message under the guard "the subject's last sequence is still this one", so two
// writers can never both extend a state. [Log.Load] goes back along that chain from the last
// message to a mark, each step one get by sequence, then yields forward. [Log.Subscribe] and
// [Log.Follow] stay and yield what comes.
//
// A [Log] knows one incarnation of its stream at a time: name, creation time, the highest
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
// engine), how a sync is done (internal/natsd), circuit breakers (all traffic passes through
// publish and request, the two places where one fits).
package stream
