package natsd

// how is a way to make acknowledgements durable.
type how uint8

const (
	byServer how = iota // the server's own settings
	byBlocks            // groups, changed block files
	byFS                // groups, the whole file system
)

// chooseMode finds how this store can be synced, best first, and returns the mode that the server has to run in.
// It asks a scratch server, so that the real one starts once and with the right setting, and the event log's account
// never sees the scratch stream: nats-server removes an account's folder in the background when its last stream is
// deleted, and a stream made in that moment fails.
func (s *Server) chooseMode() SyncMode {
	switch s.o.Sync {
	case Always:
		s.method = "always"
		return Always
	case Interval:
		s.method = "interval " + s.o.Interval.String()
		return Interval
	}
	why := s.probe()
	if why == nil {
		s.how, s.method = byBlocks, "group: fsync of changed blocks"
		if s.fs != nil {
			s.method += ", syncfs when many"
		}
		return Group
	}
	if s.fs != nil {
		s.log.Warn("the store's layout is not as expected: syncing the whole file system instead of blocks", "why", why)
		s.how, s.method = byFS, "group: syncfs"
		return Group
	}
	s.log.Warn("neither blocks nor syncfs can be used: the server syncs every message, which is slower", "why", why)
	s.method = "always (fallback of group)"
	return Always
}

// startSync syncs all that is on disk once, then starts the syncer if there is to be one.
func (s *Server) startSync() error {
	full := func() error { return s.fullSync(neverStop) }
	if s.how != byBlocks {
		if err := full(); err != nil {
			return err
		}
		if s.how == byFS {
			s.syncer = startSyncer(full, s.fatal)
		}
		return nil
	}
	s.blocks = newBlocks(s.disk, s.o.Dir, s.fs)
	if err := s.blocks.prime(full); err != nil {
		return err
	}
	s.syncer = startSyncer(s.blocks.round, s.fatal)
	return nil
}

func (s *Server) fatal(err error) {
	s.log.Error("the disk failed: nothing more is durable, the process must end", "error", err)
	s.o.Fatal(err)
}

func neverStop() error { return nil }

// fullSync syncs the file system of the store or, where that is not to be had, each file and folder of it.
func (s *Server) fullSync(stop func() error) error {
	if s.fs == nil {
		return s.disk.syncTree(s.o.Dir, stop)
	}
	if err := s.disk.syncfs(s.fs); err != nil {
		return syncError("syncfs", s.o.Dir, err)
	}
	return nil
}
