package engine

import (
	"context"
	"errors"
	"sync"

	"github.com/cloudlysis/aggregate"
)

// snapshotJob is a state that the log has, to be written as a snapshot.
type snapshotJob struct {
	key     aggregate.Key
	view    view
	version aggregate.Version
	ids     commandIDs
}

// snapshots writes snapshots on one goroutine of its own, off the path of commands. At most
// limit jobs wait; one of the same aggregate replaces an earlier one, and in a full queue the
// oldest gives way: a lost snapshot costs a longer load.
type snapshots struct {
	opts  *Options
	mu    sync.Mutex
	moved sync.Cond // something was put, taken or written, or closing began
	jobs  map[aggregate.Key]*snapshotJob
	order []aggregate.Key // of jobs, oldest first
	busy  bool            // one is being written
	stop  bool
	done  sync.WaitGroup
}

func (s *snapshots) start(o *Options) {
	s.opts, s.jobs = o, make(map[aggregate.Key]*snapshotJob)
	s.moved.L = &s.mu
	s.done.Go(s.run)
}

// put queues j. With wait it waits for room instead of dropping the oldest.
func (s *snapshots) put(j *snapshotJob, wait bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.jobs[j.key] == nil {
		for wait && len(s.order) >= s.opts.SnapshotQueue && !s.stop {
			s.moved.Wait()
		}
		if len(s.order) >= s.opts.SnapshotQueue {
			s.opts.Observer.Snapshot(s.order[0], SnapshotOverrun)
			delete(s.jobs, s.order[0])
			s.order = append(s.order[:0], s.order[1:]...)
		}
		s.order = append(s.order, j.key)
	}
	s.jobs[j.key] = j
	s.moved.Broadcast()
}

func (s *snapshots) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(s.order) == 0 && !s.stop {
			s.moved.Wait()
		}
		if len(s.order) == 0 {
			return
		}
		j := s.jobs[s.order[0]]
		delete(s.jobs, j.key)
		s.order = append(s.order[:0], s.order[1:]...)
		s.busy = true
		s.mu.Unlock()
		s.write(j)
		s.mu.Lock()
		s.busy = false
		s.moved.Broadcast()
	}
}

// write puts one snapshot.
func (s *snapshots) write(j *snapshotJob) {
	v := &j.view
	err := s.opts.Snapshots.Put(&aggregate.Snapshot{
		TenantID: j.key.Tenant, AggregateID: j.key.ID, AggregateType: j.key.Type, Version: j.version,
		State: v.rules.stateJSON(v.state), CreatedAt: s.opts.Clock().UTC().Round(0), Mark: v.mark,
		Fingerprint: v.rules.print, UpdatedAt: v.updated, Commands: j.ids.encode(nil)})
	switch {
	case err == nil:
		s.opts.Observer.Snapshot(j.key, SnapshotWritten)
	case errors.Is(err, aggregate.ErrConflict):
		s.opts.Observer.Snapshot(j.key, SnapshotSuperseded)
	default:
		s.opts.Observer.Snapshot(j.key, SnapshotFailed)
		s.opts.Logger.Warn("snapshot not written", "aggregate", j.key.String(), "version", uint64(j.version), "error", err)
	}
}

// flush waits until nothing waits and nothing is being written.
func (s *snapshots) flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.moved.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for (len(s.order) > 0 || s.busy) && ctx.Err() == nil {
		s.moved.Wait()
	}
	return ctx.Err()
}

// close ends the goroutine after what waits has been written; with drop, without it.
func (s *snapshots) close(drop bool) {
	s.mu.Lock()
	s.stop = true
	if drop {
		s.order = nil
		clear(s.jobs)
	}
	s.moved.Broadcast()
	s.mu.Unlock()
	s.done.Wait()
}
