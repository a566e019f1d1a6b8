// Package sdnotify tells systemd how the daemon is: READY, WATCHDOG while it is alive, STOPPING.
//
// The model: [Start] says READY=1 and, when the unit has WatchdogSec, keeps a goroutine that says
// WATCHDOG=1 at a third of it, each time after asking the daemon whether it is alive. A daemon that
// hangs or says no is left to systemd, which kills and restarts it. The function that Start gives
// says STOPPING=1 and ends the goroutine. Without NOTIFY_SOCKET, on a laptop or in a container,
// nothing is sent and nothing runs.
//
// What counts as alive is the caller's: a server elsewhere that is down is no reason to restart
// this process, an embedded one that does not answer is.
package sdnotify
