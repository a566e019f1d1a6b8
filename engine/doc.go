// Package engine runs aggregates: it loads them, decides commands, appends what was decided,
// answers, keeps snapshots, and lets idle aggregates go.
//
// The model: an [Engine] holds live aggregates in a sharded registry. Each has an owner; a command
// reaches it as a request in the owner's mailbox. Who puts a request into the mailbox of an idle
// owner drives it, for one flight at most; with an append the owner goes to the log, whose answer
// goes on with it; what may block, and what has come in the meantime, is driven by a goroutine of
// its own. So at most one goroutine works on an aggregate, and none on an idle one. The driver
// takes what waits and forms a flight: the commands are decided one after another on a working
// copy of the state and travel as the commits of one Append. When the log has them as durably
// as configured the working state becomes the state, and every reply of the flight is sent,
// refusals and repeats among them. A flight takes the pointer to its [Manifest] once.
//
//	queued → (withdrawn: the caller left before its turn)
//	       → decided → appended → settled and answered
//	                 ↘ conflict: reload the commits that came between, decide again
//	                 ↘ in doubt: the same Append until ack, or conflict and a reload, settles it
//
// Invariants: a state is shown, snapshotted or answered from only when the log has it. While an
// aggregate is in doubt nothing on it is decided, answered or let go. A command id that has a
// commit gets the first reply again: the ids are kept by hash, in segments of 1,024 commits,
// and a hit counts only when the log confirms it. A failure to read one aggregate quarantines
// that one alone. Nothing is unbounded: mailboxes, live aggregates, waiting snapshots, retries, and
// for each tenant what its [Quota] says (docs/architecture.md, What is bounded).
//
// Left to others: the log and its message format (package stream), where snapshots lie
// (package store), where manifests come from (package manifests), who may ask (the doors).
package engine
