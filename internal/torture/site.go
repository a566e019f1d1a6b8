package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/cloudlysis/aggregate/internal/aggdtest"
)

// Reach is where callers reach a running site, and other clients the log.
type Reach struct {
	URLs []string // of the data doors
	NATS string   // of the server that has the log
}

// Site is an aggd and what can be taken from it. Its methods are for one goroutine.
type Site interface {
	// Fresh throws away all data; nothing runs.
	Fresh() error
	// Up starts what does not run, on what the last crash left. A start that fails matches [ErrStart].
	Up(ctx context.Context) (Reach, error)
	// Start begins what Up does and does not wait, so that a crash may come before it is over.
	Start() error
	// Crash takes something away at once; r chooses what, where there is a choice. An error means that something
	// had ended by itself before, or could not be brought down.
	Crash(r *rand.Rand) error
	// Close ends all that runs.
	Close() error
}

var (
	listenLine = regexp.MustCompile(`"msg":"ready","service":"aggregate","listen":"([^"]+)"`)
	natsLine   = regexp.MustCompile(`"msg":"embedded nats-server is ready".*?"listen":"([^"]+)"`)
	serverLine = regexp.MustCompile(`^ready at (\S+)`)
)

// Aggd is how each aggd of a site is started.
type Aggd struct {
	Binary    string
	Manifests string
	Sync      string // a value of the setting sync; empty is its default
}

func (a Aggd) spawn(data, nats string) (*process, error) {
	env := []string{"AGGREGATE_MANIFESTS=" + a.Manifests, "AGGREGATE_STORAGE_PATH=" + data, "AGGREGATE_IDEMPOTENCY_NOTHING=remember",
		"AGGREGATE_LISTEN=127.0.0.1:0", "AGGREGATE_ADMIN_LISTEN=127.0.0.1:0", "AGGREGATE_NATS_URL=" + nats, "AGGREGATE_NATS_LISTEN=127.0.0.1:0"}
	if a.Sync != "" {
		env = append(env, "AGGREGATE_SYNC="+a.Sync)
	}
	wanted := map[string]*regexp.Regexp{"listen": listenLine}
	if nats == "" {
		wanted["nats"] = natsLine
	}
	return spawn(exec.Command(a.Binary, "serve"), env, wanted)
}

// errEnded: a crash found nothing to take.
var errEnded = errors.New("ended by itself")

// take is the end of a process that should have been running.
func take(p *process) error {
	if !p.alive() {
		return fmt.Errorf("%s %w: %s\n%s", p.name(), errEnded, p.cmd.ProcessState, p.tail())
	}
	p.kill()
	return nil
}

// embedded waits for an aggd with a nats-server of its own.
func embedded(ctx context.Context, p *process) (Reach, error) {
	at, err := p.ready(ctx)
	if err != nil {
		return Reach{}, err
	}
	return Reach{URLs: []string{"http://" + at["listen"]}, NATS: "nats://" + at["nats"]}, nil
}

// KillSite is an aggd whose process is killed.
type KillSite struct {
	aggd    Aggd
	dir     string
	process *process
}

// NewKillSite makes a site with its data below dir.
func NewKillSite(dir string, a Aggd) *KillSite {
	return &KillSite{aggd: a, dir: filepath.Join(dir, "data")}
}

// Fresh implements Site.
func (s *KillSite) Fresh() error {
	return errors.Join(s.Close(), os.RemoveAll(s.dir))
}

// Start implements Site.
func (s *KillSite) Start() (err error) {
	if !s.process.alive() {
		s.process, err = s.aggd.spawn(s.dir, "")
	}
	return err
}

// Up implements Site.
func (s *KillSite) Up(ctx context.Context) (Reach, error) {
	if err := s.Start(); err != nil {
		return Reach{}, err
	}
	return embedded(ctx, s.process)
}

// Crash implements Site.
func (s *KillSite) Crash(*rand.Rand) error { return take(s.process) }

// Close implements Site.
func (s *KillSite) Close() error {
	s.process.kill()
	s.process = nil
	return nil
}

// NATSSite is some aggd beside an external nats-server; any of them is killed.
type NATSSite struct {
	aggd   Aggd
	dir    string
	port   int
	nodes  []*process
	server *process
	// Kills counts those of aggd and of nats-server.
	Kills [2]int
}

// NewNATSSite makes a site of some nodes with its data below dir, its nats-server always on the same port.
func NewNATSSite(dir string, a Aggd, nodes int) (*NATSSite, error) {
	port, err := aggdtest.Port()
	return &NATSSite{aggd: a, dir: dir, port: port, nodes: make([]*process, nodes)}, err
}

func (s *NATSSite) url() string { return "nats://127.0.0.1:" + strconv.Itoa(s.port) }

// Fresh implements Site.
func (s *NATSSite) Fresh() error {
	return errors.Join(s.Close(), os.RemoveAll(filepath.Join(s.dir, "data")))
}

// Start implements Site. A nats-server that was down is waited for: aggd does not start without one.
func (s *NATSSite) Start() (err error) {
	if !s.server.alive() {
		env := []string{natsDirVar + "=" + filepath.Join(s.dir, "data", "nats"), natsPortVar + "=" + strconv.Itoa(s.port)}
		if s.server, err = spawn(exec.Command(os.Args[0]), env, map[string]*regexp.Regexp{"url": serverLine}); err != nil {
			return err
		}
		if _, err = s.server.ready(context.Background()); err != nil {
			return err
		}
	}
	for i, p := range s.nodes {
		if p.alive() {
			continue
		}
		if s.nodes[i], err = s.aggd.spawn(filepath.Join(s.dir, "data", strconv.Itoa(i)), s.url()); err != nil {
			return err
		}
	}
	return nil
}

// Up implements Site.
func (s *NATSSite) Up(ctx context.Context) (Reach, error) {
	if err := s.Start(); err != nil {
		return Reach{}, err
	}
	reach := Reach{NATS: s.url()}
	for _, p := range s.nodes {
		at, err := p.ready(ctx)
		if err != nil {
			return Reach{}, err
		}
		reach.URLs = append(reach.URLs, "http://"+at["listen"])
	}
	return reach, nil
}

// Crash implements Site: one or all of aggd, nats-server, or both. An aggd that is still starting is killed
// before its server, without which it would end by itself.
func (s *NATSSite) Crash(r *rand.Rand) error {
	var errs []error
	server, all, one := r.IntN(2) == 0, r.IntN(3) == 0, r.IntN(len(s.nodes))
	for i, p := range s.nodes {
		if all || i == one && !server || !p.isReady() {
			errs = append(errs, take(p))
			s.Kills[0]++
		}
	}
	if server {
		errs = append(errs, take(s.server))
		s.Kills[1]++
	}
	return errors.Join(errs...)
}

// Close implements Site.
func (s *NATSSite) Close() error {
	for i, p := range s.nodes {
		p.kill()
		s.nodes[i] = nil
	}
	s.server.kill()
	s.server = nil
	return nil
}

// PowerSite is an aggd on a machine whose power is cut.
type PowerSite struct {
	aggd    Aggd
	dir     string
	empty   []byte // image of an empty file system
	disk    *Disk
	machine *Machine
	process *process
	// Cuts sums up what the cuts did.
	Cuts CutStats
}

// diskSize holds some tens of rounds.
const diskSize = 256 << 20

// NewPowerSite makes a site that mounts below dir. It must be made within [InOwnMounts].
func NewPowerSite(dir string, a Aggd) (*PowerSite, error) {
	empty, err := Format(dir, diskSize)
	return &PowerSite{aggd: a, dir: dir, empty: empty}, err
}

// Fresh implements Site.
func (s *PowerSite) Fresh() error {
	if err := s.Close(); err != nil {
		return err
	}
	s.disk = NewDisk(append([]byte(nil), s.empty...))
	return nil
}

// Start implements Site.
func (s *PowerSite) Start() (err error) {
	if s.machine == nil {
		if s.machine, err = Boot(s.dir, s.disk); err != nil {
			return fmt.Errorf("machine %w: %w", ErrStart, err)
		}
	}
	if !s.process.alive() {
		s.process, err = s.aggd.spawn(filepath.Join(s.machine.MountPoint(), "data"), "")
	}
	return err
}

// Up implements Site.
func (s *PowerSite) Up(ctx context.Context) (Reach, error) {
	if err := s.Start(); err != nil {
		return Reach{}, err
	}
	return embedded(ctx, s.process)
}

// Crash implements Site: a cut. The process cannot notice it: it is gone before any flush after the cut is answered.
func (s *PowerSite) Crash(r *rand.Rand) error {
	s.machine.Freeze(r)
	ended := !s.process.alive()
	s.process.signal()
	var stats CutStats
	var err error
	s.machine.Cease()
	s.process.kill()
	if s.disk, stats, err = s.machine.Off(r); err != nil {
		return err
	}
	s.machine = nil
	s.Cuts.Pending += stats.Pending
	s.Cuts.Kept += stats.Kept
	s.Cuts.Torn += stats.Torn
	if ended {
		return fmt.Errorf("%s %w: %s\n%s", s.process.name(), errEnded, s.process.cmd.ProcessState, s.process.tail())
	}
	return nil
}

// Close implements Site.
func (s *PowerSite) Close() error {
	s.process.kill()
	s.process = nil
	if s.machine == nil {
		return nil
	}
	_, _, err := s.machine.Off(rand.New(rand.NewPCG(0, 0)))
	s.machine = nil
	return err
}
