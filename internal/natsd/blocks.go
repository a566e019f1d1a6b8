package natsd

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// manyChanged is how many changed blocks are cheaper synced with their whole file system.
	manyChanged = 2
	// settled is the age from which the time of a folder's last change tells of every change: the kernel's
	// clock for it moves in ticks of 1 to 10 ms, and two changes within a tick look like one.
	settled = 100 * time.Millisecond
)

// stamp is what changes when a file or folder does.
type stamp struct {
	inode uint64 // on Windows the file's index
	size  int64
	mtime time.Time
}

// folder remembers when a folder was listed, so that an unchanged one is not listed again: a stream of 100 GB has 12,500 blocks.
type folder struct {
	stamp  stamp
	listed time.Time
}

// unchanged tells whether a listing now would show what the last one did.
func (f folder) unchanged(now stamp) bool {
	return !f.listed.IsZero() && f.stamp.inode == now.inode && f.stamp.mtime.Equal(now.mtime) &&
		f.listed.Sub(f.stamp.mtime) > settled
}

// block is one file of messages. Only the newest of a stream grows.
type block struct {
	path   string
	number uint64
	file   *os.File // nil once it is synced and has a successor
	seen   stamp    // at the last look
	synced stamp    // before the last sync that succeeded
}

// streamDir is the folder of one stream's blocks.
type streamDir struct {
	path   string
	folder folder
	blocks map[string]*block
	live   []*block // those that are open: only they can have changed
	last   uint64   // number of the newest block
	fresh  bool     // perhaps a new stream: its folder is not known to be on disk
	grown  bool     // new block: the folder is not known to be on disk
}

// blocks is a store's block files as the syncer knows them. It belongs to the syncer's goroutine.
type blocks struct {
	disk    disk
	store   string   // the server's folder
	root    string   // the folder of all streams, below store
	fs      *os.File // of the store's file system, kept open to hear of every failed write; nil without syncfs
	folder  folder
	streams map[string]*streamDir
	primed  bool // what was there at the start has been synced
}

func newBlocks(d disk, store string, fs *os.File) *blocks {
	return &blocks{disk: d, store: store, root: d.streams(store), fs: fs, streams: make(map[string]*streamDir)}
}

// prime takes note of what is there; full then syncs all of it.
func (b *blocks) prime(full func() error) error {
	if err := b.scan(); err != nil {
		return err
	}
	if err := full(); err != nil {
		return err
	}
	b.settle()
	b.primed = true
	return nil
}

// round syncs what changed since the last one. Stamps are taken before the sync, so what is written meanwhile counts as changed.
func (b *blocks) round() error {
	if err := b.scan(); err != nil {
		return err
	}
	changed, fresh := b.changed()
	if b.fs != nil && (fresh || len(changed) > manyChanged) {
		if err := b.disk.syncfs(b.fs); err != nil {
			return syncError("syncfs", b.root, err)
		}
		b.settle()
		return nil
	}
	if err := b.syncEach(changed); err != nil {
		return err
	}
	b.settle()
	return nil
}

func (b *blocks) syncEach(changed []*block) error {
	for _, k := range changed {
		if err := b.disk.fsync(k.file); err != nil {
			return syncError("fsync", k.path, err)
		}
	}
	for _, s := range b.streams {
		if err := b.syncFolders(s); err != nil {
			return err
		}
	}
	return nil
}

// syncFolders makes a new block or stream findable after a power cut.
func (b *blocks) syncFolders(s *streamDir) error {
	if s.fresh && len(s.blocks) > 0 {
		return b.syncNew(filepath.Dir(s.path))
	}
	if s.grown {
		return b.disk.syncPath(s.path)
	}
	return nil
}

// syncNew syncs all of a new stream and the folders from it up to the store: the first stream makes them all.
func (b *blocks) syncNew(stream string) error {
	if err := b.disk.syncTree(stream, neverStop); err != nil {
		return err
	}
	for path := b.root; path != b.store && path != filepath.Dir(path); {
		path = filepath.Dir(path)
		if err := b.disk.syncPath(path); err != nil {
			return err
		}
	}
	return nil
}

func (b *blocks) changed() (changed []*block, fresh bool) {
	for _, s := range b.streams {
		fresh = fresh || s.fresh && len(s.blocks) > 0
		for _, k := range s.live {
			if k.seen != k.synced {
				changed = append(changed, k)
			}
		}
	}
	return changed, fresh
}

// settle notes that all that was seen is synced.
func (b *blocks) settle() {
	for _, s := range b.streams {
		s.grown = false
		if len(s.blocks) > 0 {
			s.fresh = false
		}
		for _, k := range s.live {
			k.synced = k.seen
		}
	}
}

// scan looks at all folders and at those blocks that may have changed.
func (b *blocks) scan() error {
	if err := b.scanRoot(); err != nil {
		return err
	}
	for _, s := range b.streams {
		if err := b.scanStream(s); err != nil {
			return err
		}
	}
	return nil
}

func (b *blocks) scanRoot() error {
	names, err := b.folder.list(b.root)
	if err != nil || names == nil {
		return err
	}
	for name, s := range b.streams {
		s.fresh = b.primed // it may be another stream of that name
		if !slices.Contains(names, name) {
			s.close()
			delete(b.streams, name)
		}
	}
	for _, name := range names {
		if b.streams[name] == nil && !strings.HasPrefix(name, ".") {
			b.streams[name] = &streamDir{path: filepath.Join(b.root, name, "msgs"), blocks: make(map[string]*block), fresh: b.primed}
		}
	}
	return nil
}

// list gives the names in a folder, none (not nil) if it is absent, nil if nothing came or went since the last time.
func (f *folder) list(path string) ([]string, error) {
	now := time.Now()
	before, err := stampPath(path)
	if errors.Is(err, fs.ErrNotExist) {
		*f = folder{}
		return []string{}, nil
	}
	if err != nil {
		return nil, syncError("look at", path, err)
	}
	if f.unchanged(before) {
		return nil, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, syncError("list", path, err)
	}
	*f = folder{stamp: before, listed: now}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (b *blocks) scanStream(s *streamDir) error {
	names, err := s.folder.list(s.path)
	if err != nil {
		return err
	}
	if names == nil {
		return s.lookAtLive()
	}
	return b.relist(s, names)
}

// lookAtLive looks at the blocks that may still grow and lets go of those that no longer do.
func (s *streamDir) lookAtLive() error {
	for _, k := range s.live {
		now, err := stampFile(k.file)
		if err != nil {
			return syncError("look at", k.path, err)
		}
		k.seen = now
		k.letGo(s.last)
	}
	s.live = slices.DeleteFunc(s.live, (*block).closed)
	return nil
}

// relist compares the files of a stream, by name, with the blocks known.
func (b *blocks) relist(s *streamDir, names []string) error {
	found := make([]*block, 0, len(names))
	for _, name := range names {
		if n, ok := blockNumber(name); ok {
			found = append(found, &block{path: filepath.Join(s.path, name), number: n})
		}
	}
	slices.SortFunc(found, func(x, y *block) int { return cmp.Compare(x.number, y.number) })
	s.last = 0
	if len(found) > 0 {
		s.last = found[len(found)-1].number
	}
	known := s.blocks
	s.live = s.live[:0]
	s.blocks = make(map[string]*block, len(found))
	for _, k := range found {
		if old := known[k.path]; old != nil {
			k = old
			delete(known, k.path)
		}
		s.blocks[k.path] = k
		if err := b.look(s, k); err != nil {
			return err
		}
		if !k.closed() {
			s.live = append(s.live, k)
		}
	}
	for _, gone := range known {
		gone.close()
	}
	return nil
}

// look stamps one block by its path and opens it if it may grow or has changed.
func (b *blocks) look(s *streamDir, k *block) error {
	now, err := stampPath(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		k.close()
		delete(s.blocks, k.path)
		return nil
	}
	if err != nil {
		return syncError("look at", k.path, err)
	}
	if now.inode != k.seen.inode { // new, or another file under its name
		k.close()
		s.grown = true
	}
	k.seen = now
	if !b.primed && k.number != s.last {
		k.synced = k.seen // by the full sync that prime makes next; if it fails there are no rounds
	}
	if k.closed() && (k.number == s.last || k.seen != k.synced) {
		return s.open(k)
	}
	k.letGo(s.last)
	return nil
}

// open opens a block and stamps what was opened, which may be newer than what the path showed.
func (s *streamDir) open(k *block) error {
	f, err := openToSync(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		delete(s.blocks, k.path)
		return nil
	}
	if err != nil {
		return syncError("open", k.path, err)
	}
	now, err := stampFile(f)
	if err != nil {
		f.Close()
		return syncError("look at", k.path, err)
	}
	k.file, k.seen = f, now
	return nil
}

// letGo closes a block that is synced, has a successor and did not change since the sync.
func (k *block) letGo(last uint64) {
	if k.number < last && k.seen == k.synced {
		k.close()
	}
}

func (k *block) closed() bool { return k.file == nil }

func (k *block) close() {
	if k.file != nil {
		k.file.Close()
		k.file = nil
	}
}

func (s *streamDir) close() {
	for _, k := range s.blocks {
		k.close()
	}
}

// close lets go of all descriptors.
func (b *blocks) close() {
	for _, s := range b.streams {
		s.close()
	}
	clear(b.streams)
}

// blockNumber reads the number out of 12.blk.
func blockNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, ".blk")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}
