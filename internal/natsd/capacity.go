package natsd

import (
	"io/fs"
	"path/filepath"

	"github.com/cloudlysis/aggregate/internal/diskspace"
)

// maxReserve is what the server leaves free on a large disk; on a small one it is a twentieth.
const maxReserve = 1 << 30

// storeLimit is how many bytes the store in dir may hold: what it holds and what is free, less a reserve. The server's
// own limit, three quarters of that sum, refuses every append to a log that fills three quarters of its disk. Without a
// limit the disk itself runs full, and after a failed write the server refuses all writes until restart.
// 0 means that it cannot be told, and leaves it to the server.
func storeLimit(dir string) int64 {
	s, err := diskspace.Of(dir)
	if err != nil {
		return 0
	}
	return limitOf(treeSize(dir), int64(s.Free))
}

func limitOf(held, free int64) int64 {
	if held < 0 || free < 0 || held+free < 0 {
		return 0
	}
	total := held + free
	return total - min(total/20, maxReserve)
}

// treeSize sums the files below dir; what cannot be read counts nothing.
func treeSize(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
