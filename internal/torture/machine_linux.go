package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Machine is a computer without a computer: a disk, served as a file through FUSE, a loop device on the file, an ext4
// on the device. It must be made within [InOwnMounts]. Its methods are for one goroutine.
type Machine struct {
	dir   string // fuse and ext4 are mounted below
	disk  *Disk
	serve *fuse.Server
	wg    sync.WaitGroup // writeBack, which reads what the disk may not give before Cease
}

// MountPoint is where the file system is while the machine is up.
func (m *Machine) MountPoint() string { return filepath.Join(m.dir, "ext4") }

func (m *Machine) fusePoint() string { return filepath.Join(m.dir, "fuse") }

// Boot mounts what is on disk, with dir for the mount points. On an error nothing is left mounted.
func Boot(dir string, disk *Disk) (_ *Machine, err error) {
	m := &Machine{dir: dir, disk: disk}
	for _, p := range []string{m.MountPoint(), m.fusePoint()} {
		if err := os.MkdirAll(p, 0o755); err != nil {
			return nil, err
		}
	}
	if m.serve, err = serveDisk(m.fusePoint(), disk); err != nil {
		return nil, fmt.Errorf("mount FUSE: %w", err)
	}
	if err := m.mountLoop(); err != nil {
		return nil, errors.Join(err, unmount(m.fusePoint()))
	}
	return m, nil
}

func (m *Machine) mountLoop() error {
	loop, dev, err := attachLoop(filepath.Join(m.fusePoint(), diskName))
	if err != nil {
		return fmt.Errorf("attach a loop device: %w", err)
	}
	defer unix.Close(loop) // the mount holds the device from here on; without one this lets go of it
	if err := unix.Mount(dev, m.MountPoint(), "ext4", unix.MS_NOATIME, ""); err != nil {
		return fmt.Errorf("mount ext4 on %s: %w", dev, err)
	}
	return nil
}

// freezeTime is how long a freeze waits for its write. Under load there are thousands a second.
const freezeTime = 100 * time.Millisecond

// Freeze is the moment of the cut, while programs still run: at once or after some writes, perhaps while the kernel
// writes back what nobody has asked it to; r chooses.
func (m *Machine) Freeze(r *rand.Rand) {
	if r.IntN(4) > 0 {
		cut := m.disk.FreezeAfter(1 + r.IntN(12))
		if r.IntN(2) == 0 {
			seed := r.Uint64()
			m.wg.Go(func() { m.writeBack(rand.New(rand.NewPCG(seed, 0))) })
		}
		select {
		case <-cut:
		case <-time.After(freezeTime):
		}
	}
	m.disk.Freeze()
}

// writeBack has the kernel begin to write dirty pages of some files, without a flush, as it does for itself when
// memory is short or pages are old. What cannot be opened is left alone: files come and go.
func (m *Machine) writeBack(r *rand.Rand) {
	_ = filepath.WalkDir(m.MountPoint(), func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || r.IntN(3) == 0 {
			return nil
		}
		if f, err := os.Open(path); err == nil {
			_ = unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
			f.Close()
		}
		return nil
	})
}

// Cease lets go of the flushes that wait since the freeze: their callers have been killed and need the answer to end.
func (m *Machine) Cease() { m.disk.Off() }

// Off takes the machine down after a freeze, when no program runs on it any more, and gives the disk for the next boot.
func (m *Machine) Off(r *rand.Rand) (*Disk, CutStats, error) {
	m.Cease()
	m.wg.Wait()
	err := errors.Join(unmount(m.MountPoint()), unmount(m.fusePoint()))
	if err != nil {
		return nil, CutStats{}, err
	}
	m.serve.Wait()
	disk, stats := m.disk.Cut(r)
	return disk, stats, nil
}

// unmount waits for the last user of a mount, whose descriptors the kernel may still be closing.
func unmount(path string) error {
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := unix.Unmount(path, 0)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			return fmt.Errorf("unmount %s: %w", path, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// attachLoop opens a free loop device on the file. It goes free when its descriptor and its mount are gone.
func attachLoop(file string) (fd int, dev string, err error) {
	back, err := unix.Open(file, unix.O_RDWR|unix.O_CLOEXEC, 0) // os.Open would ask FUSE, and so this process, for poll
	if err != nil {
		return -1, "", fmt.Errorf("open %s: %w", file, err)
	}
	defer unix.Close(back)
	control, err := unix.Open("/dev/loop-control", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, "", fmt.Errorf("open /dev/loop-control: %w", err)
	}
	defer unix.Close(control)
	for try := 0; ; try++ {
		n, err := unix.IoctlRetInt(control, unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return -1, "", fmt.Errorf("find a free loop device: %w", err)
		}
		dev := fmt.Sprintf("/dev/loop%d", n)
		fd, err := configureLoop(dev, back)
		if err == nil {
			return fd, dev, nil
		}
		if !errors.Is(err, unix.EBUSY) || try > 50 { // somebody else took it
			return -1, "", fmt.Errorf("%s: %w", dev, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func configureLoop(dev string, back int) (int, error) {
	fd, err := unix.Open(dev, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	c := unix.LoopConfig{Fd: uint32(back)}
	c.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
	if err := unix.IoctlLoopConfigure(fd, &c); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// diskName is the one file that FUSE shows.
const diskName = "disk"

func serveDisk(dir string, d *Disk) (*fuse.Server, error) {
	root := &fs.Inode{}
	o := &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "torture", Name: "torture",
		MaxWrite: 1 << 20, DisableXAttrs: true, DisableSplice: true}}
	o.OnAdd = func(ctx context.Context) {
		root.AddChild(diskName, root.NewPersistentInode(ctx, &diskFile{disk: d}, fs.StableAttr{Mode: syscall.S_IFREG}), true)
	}
	return fs.Mount(dir, root, o)
}

// diskFile shows a Disk as a file. Direct I/O keeps the page cache out: a write of the loop device is a write of the disk.
type diskFile struct {
	fs.Inode
	disk *Disk
}

var (
	_ fs.NodeGetattrer = (*diskFile)(nil)
	_ fs.NodeSetattrer = (*diskFile)(nil)
	_ fs.NodeOpener    = (*diskFile)(nil)
	_ fs.NodeReader    = (*diskFile)(nil)
	_ fs.NodeWriter    = (*diskFile)(nil)
	_ fs.NodeFsyncer   = (*diskFile)(nil)
)

// Getattr tells the size.
func (f *diskFile) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size, out.Blksize = syscall.S_IFREG|0o600, uint64(f.disk.Size()), 4096
	return 0
}

// Setattr changes nothing; the kernel sets times.
func (f *diskFile) Setattr(ctx context.Context, h fs.FileHandle, _ *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return f.Getattr(ctx, h, out)
}

// Open asks for direct I/O.
func (f *diskFile) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO | fuse.FOPEN_PARALLEL_DIRECT_WRITES, 0
}

// Read reads the disk.
func (f *diskFile) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	return fuse.ReadResultData(dest[:f.disk.Read(dest, int(off))]), 0
}

// Write writes the disk.
func (f *diskFile) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	return uint32(f.disk.Write(data, int(off))), 0
}

// Fsync flushes the disk: the loop device asks for it when ext4 sends a flush.
func (f *diskFile) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	if !f.disk.Flush() {
		return syscall.EIO
	}
	return 0
}

// Format makes an image of size bytes with an empty ext4.
func Format(dir string, size int) ([]byte, error) {
	path := filepath.Join(dir, "empty.img")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer os.Remove(path)
	if err := errors.Join(f.Truncate(int64(size)), f.Close()); err != nil {
		return nil, err
	}
	mkfs, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		mkfs = "/sbin/mkfs.ext4" // often outside of a user's PATH
	}
	out, err := exec.Command(mkfs, "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", path).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("mkfs.ext4: %w %s", err, out)
	}
	return os.ReadFile(path)
}

// Mountable tells why power cannot be cut here, nil if it can: it boots a machine and cuts its power once.
func Mountable(dir string) error {
	image, err := Format(dir, 16<<20)
	if err != nil {
		return err
	}
	m, err := Boot(dir, NewDisk(image))
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 1))
	m.disk.Freeze()
	_, _, err = m.Off(r)
	return err
}

// InOwnMounts makes c run in a mount namespace of its own, which needs root, and end with this process's thread.
func InOwnMounts(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
}

// tie makes c end with this process. The kernel watches the thread that started c, and Go keeps its threads.
func tie(c *exec.Cmd) {
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
