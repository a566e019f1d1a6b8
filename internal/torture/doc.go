// Package torture crashes aggd under load and checks that nothing acknowledged was lost and nothing was done twice.
//
// The model: a [Trial] drives 64 callers against a [Site], which is aggd with all that can be taken from it: its process
// ([KillSite]), also one of several, or that of an external nats-server ([NATSSite]), or the power of the machine whose
// disk it writes to ([PowerSite]). A trial goes in rounds: load; a crash at a seeded moment; the start on what the crash left;
// a first look, while the callers still hold commands of unknown outcome; the callers settle those by asking again with
// the same command ids; a second look, in which everything is known and everything must be exact. A crash may be
// followed by another one before the start is over.
//
// What a look takes is the stored log itself, read by another JetStream client, and the answers of the door: each
// acknowledged commit is there, once, whole, under the version that was acknowledged; no other commit is there but
// those in doubt; versions have no gaps, ids are unique, balances are the sum of the log. The answers of a round,
// refusals and reads among them, go to porcupine, which asks for one order of them that an account could have given.
//
// The power cut: ext4 on a loop device whose image is a file that a [Disk] serves through FUSE. The disk records each
// write until a flush covers it. A cut keeps everything that was flushed and a seeded part of the rest, down to torn
// writes, and the next start mounts that. It all happens in a mount namespace of its own ([InOwnMounts]), which takes
// mounts and loop devices with it when the process ends, however it ends.
//
// Everything that is chosen comes from one seed: commands, moments, what a cut keeps. The kernel and the network
// choose, too, so a seed replays the plan and not the interleaving; a finding names seed and round.
package torture
