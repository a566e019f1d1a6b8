//go:build unix

package diskspace

import "golang.org/x/sys/unix"

// Of asks for the disk that dir lies on; dir must exist.
func Of(dir string) (Space, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return Space{}, err
	}
	block := uint64(st.Bsize)
	return Space{Free: uint64(st.Bavail) * block, Size: uint64(st.Blocks) * block}, nil
}
