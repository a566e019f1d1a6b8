package torture

import (
	"context"
	_ "embed"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	kills     = flag.Int("torture.kills", 5, "kills of aggd's process")
	natsKills = flag.Int("torture.natskills", 2, "kills of aggd beside an external nats-server, or of that")
	cuts      = flag.Int("torture.cuts", 3, "power cuts")
	lossy     = flag.Int("torture.lossy", 2, "power cuts with sync: interval, which must lose")
	answers   = flag.Int("torture.load", 150, "answers before a crash, about")
	syncMode  = flag.String("torture.sync", "", "aggd's --sync, empty for its default")
	seed      = flag.Uint64("torture.seed", anySeed(), "what is done, when, and what a cut keeps")
	binary    = flag.String("torture.aggd", "", "an aggd that is built already")
)

// anySeed is the same in every run of make test, and another one each time otherwise.
func anySeed() uint64 {
	if seed, err := strconv.ParseUint(os.Getenv("RAPID_SEED"), 10, 64); err == nil {
		return seed
	}
	return uint64(time.Now().UnixNano())
}

// built is where aggd is built, once for all tests; TestMain removes it.
var built string

func TestMain(m *testing.M) {
	Child()
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

//go:embed purse.agg
var purse []byte

// site gives what every site of a test needs: aggd, built from the source as it is, and manifests.
func site(t *testing.T) Aggd {
	t.Helper()
	build(t)
	a := Aggd{Binary: *binary, Manifests: t.TempDir(), Sync: *syncMode}
	bank, err := os.ReadFile("../../examples/bank/account.agg")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"account.agg": bank, "purse.agg": purse} {
		if err := os.WriteFile(filepath.Join(a.Manifests, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// build makes aggd, unless the flag names one, and sets the flag. It looks at every source file, so that go test knows
// that its result depends on them.
func build(t *testing.T) {
	t.Helper()
	if *binary != "" {
		return
	}
	err := filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if built, err = os.MkdirTemp("", "torture"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(built, "aggd")
	if out, err := exec.Command("go", "build", "-o", path, "../../cmd/aggd").CombinedOutput(); err != nil {
		t.Fatalf("build aggd: %v\n%s", err, out)
	}
	*binary = path
}

// run runs a trial, tells what it counted, and fails for each finding.
func run(t *testing.T, trial *Trial) {
	t.Helper()
	t.Logf("seed %d: go test ./internal/torture -run '^%s$' -torture.seed=%d", trial.Seed, t.Name(), trial.Seed)
	trial.Out = os.Stderr
	err := trial.Run(context.Background())
	for _, f := range trial.Findings {
		t.Error(f)
	}
	if err != nil {
		t.Error(err)
	}
	t.Log(trial.Tally.String())
}

// sound fails unless a trial that must not lose has seen enough to say so.
func sound(t *testing.T, trial *Trial) {
	t.Helper()
	if trial.Lost+trial.Double+trial.Half+trial.Phantom+trial.Gaps+trial.Unlinear > 0 {
		t.Error("lost, doubled, torn, phantom or out of order: see above")
	}
	if trial.Acked == 0 || trial.Repeats == 0 || trial.Linear == 0 || trial.InDoubt == 0 && trial.Rounds > 3 {
		t.Errorf("too little happened: %s", trial.Tally.String())
	}
}

// TestKills: kill -9 of aggd under load.
func TestKills(t *testing.T) {
	trial := &Trial{Site: NewKillSite(t.TempDir(), site(t)), Seed: *seed, Load: *answers, Want: *kills}
	run(t, trial)
	sound(t, trial)
}

// TestKillsWithNATS: kill -9 of aggd, of the external nats-server beside it, or of both.
func TestKillsWithNATS(t *testing.T) { killsWithNATS(t, 1) }

// TestKillsOfTwoNodes: the same with two aggd on one log; each caller asks now this one, now that, and so do repeats.
func TestKillsOfTwoNodes(t *testing.T) { killsWithNATS(t, 2) }

func killsWithNATS(t *testing.T, nodes int) {
	s, err := NewNATSSite(t.TempDir(), site(t), nodes)
	if err != nil {
		t.Fatal(err)
	}
	trial := &Trial{Site: s, Seed: *seed, Load: *answers, Want: *natsKills}
	run(t, trial)
	sound(t, trial)
	t.Logf("aggd was killed %d times, nats-server %d times", s.Kills[0], s.Kills[1])
}

// TestPowerCuts: all that a flush covers is kept, and a part of the rest.
func TestPowerCuts(t *testing.T) { inOwnMounts(t, func() { powerCuts(t) }) }

func powerCuts(t *testing.T) {
	s, err := NewPowerSite(t.TempDir(), site(t))
	if err != nil {
		t.Fatal(err)
	}
	trial := &Trial{Site: s, Seed: *seed, Load: *answers, Want: *cuts}
	run(t, trial)
	sound(t, trial)
	t.Logf("of %d writes without a flush, %d were kept, %d in part; %.0f cuts a minute", s.Cuts.Pending, s.Cuts.Kept, s.Cuts.Torn,
		float64(trial.Crashes)/trial.Took.Minutes())
}

// TestPowerCutsFindLosses: without a sync before the reply the same cuts do lose, and it is seen.
func TestPowerCutsFindLosses(t *testing.T) { inOwnMounts(t, func() { powerCutsFindLosses(t) }) }

func powerCutsFindLosses(t *testing.T) {
	a := site(t)
	a.Sync = "interval"
	s, err := NewPowerSite(t.TempDir(), a)
	if err != nil {
		t.Fatal(err)
	}
	trial := &Trial{Site: s, Seed: *seed, Load: *answers, Want: *lossy, Lossy: true}
	run(t, trial)
	if trial.Lost == 0 || trial.Acked == 0 {
		t.Errorf("sync: interval lost %d of %d acknowledged commits in %d cuts; the test cannot find losses", trial.Lost, trial.Acked, trial.Crashes)
	}
}

const ownMountsVar = "AGGREGATE_TORTURE_MOUNTS"

// inOwnMounts runs body in a process with mounts of its own, which this one starts and whose output it shows.
func inOwnMounts(t *testing.T, body func()) {
	t.Helper()
	if os.Getenv(ownMountsVar) != "" {
		if err := Mountable(t.TempDir()); err != nil {
			t.Skipf("power cannot be cut here: %v", err)
		}
		body()
		return
	}
	build(t)
	args := []string{"-test.run=^" + t.Name() + "$", "-test.v", "-test.timeout=0"}
	flag.VisitAll(func(f *flag.Flag) {
		if strings.HasPrefix(f.Name, "torture.") {
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), ownMountsVar+"=1")
	InOwnMounts(c)
	tie(c)
	out := &strings.Builder{}
	c.Stdout, c.Stderr = out, os.Stderr
	if err := c.Start(); err != nil {
		t.Skipf("power cannot be cut here: a process with mounts of its own is refused: %v", err)
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("in its own mounts: %v\n%s", err, out)
	}
	if _, why, skipped := strings.Cut(out.String(), "power cannot be cut here"); skipped {
		t.Skip("power cannot be cut here" + strings.SplitN(why, "\n", 2)[0])
	}
	t.Logf("in its own mounts:\n%s", out)
}
