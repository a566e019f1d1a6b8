// Package envelope codes and checks the message in which the log keeps the commits of one
// aggregate: its body, its headers and its subject. Other services may import it to read the log.
//
// The model: a [Message] holds the commits of one flight, decided by one manifest. [Encode]
// writes its body, [Decode] reads and checks one. The bodies of one aggregate form a chain: each
// names in `prev` the [Hash] of the body before it, so a body is never re-coded, only copied.
// [Headers] repeats what a reader wants to know before it reads a body; no header is trusted
// for what the body says too.
//
// Invariants: the same Message makes the same bytes, for ever; payloads and commands are copied
// byte by byte in both directions; whatever Encode writes, Decode reads. The versions of one
// message have no gaps. Unknown members are ignored unless the message lists them in `must`; an
// unknown `v`, `kind` or `must` is aggregate.ErrManifestBehind (a newer engine wrote it),
// everything else that does not fit is aggregate.ErrRehydration.
//
// Left to package stream: whether a body fits to the one before it and to the tenant who asks,
// and everything about sequences. Left to the engine: what a payload means.
package envelope
