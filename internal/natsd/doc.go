// Package natsd embeds a nats-server with JetStream in the process and makes its acknowledgements durable.
//
// # Model
//
// A [Server] owns one store folder. The folder is locked (flock) as long as the server lives, so that two
// processes never write one store. The server has two accounts:
//
//   - AGGREGATE holds all streams. Its only user signs with a key made at start and kept in memory, and may
//     connect in-process only: [Server.Connect]. It may do everything.
//   - LOCAL is where every other client lands, without credentials. It has no JetStream of its own; it reaches
//     into AGGREGATE through a closed list of imports: read streams, make and use pull consumers, hear
//     aggregate.synced.>. The NATS door answers cmd.> and $SRV.> there, with a key of its own and in-process only:
//     [Server.ConnectDoor].
//
// Two accounts, not one account with permissions, because nats-server checks the subject of a message but not
// its reply subject: in one account a request for a stored message with the reply subject
// tenant.acme.aggregate.… makes the server itself publish the answer there, into the stream (tried with 2.15.2). An
// answer to another account goes through a subject that the server makes up and comes out in the account of the
// asker, where no stream listens. A push consumer's deliver subject is published to by the server just so, so
// consumers are made through a gate that refuses it; local clients use pull consumers.
//
// # Durability
//
// The server writes a message into a block file before it acknowledges it and, in the modes Group and Interval,
// syncs the file later or never. In mode Group a [Waiter] makes up for that: Wait returns when everything
// acknowledged before the call is on disk. One goroutine syncs for all streams and all waiters, in rounds; a round
// serves only those who came before it began. A round syncs the block files that changed and the folder of a new
// one, or, when more than two changed, the whole file system at once.
//
// Invariants:
//
//   - A file that was ever written stays open here from first sight until it is synced and has a successor, and the
//     server's own sync is put off for a day: else another descriptor could consume the report of a failed write.
//   - After one failed sync nothing is ever reported durable again: every waiter fails, Options.Fatal is
//     called once, and the daemon ends the process. A later success would prove nothing.
//   - What Start finds on disk is synced before it returns.
//
// The layout of the store is the server's affair, so Start tests it (see [Server.SyncMethod]): blocks, else syncfs alone,
// else the server's SyncAlways.
//
// The package makes no streams (but one on a scratch server for the test) and knows no events; that is package stream's.
package natsd
