package deploytest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate/internal/config"
)

// machine lays out a root folder as the package does, for systemd-analyze to look at.
func machine(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	files := map[string]string{
		"usr/lib/systemd/system/aggd.service":          read(t, deploy, "systemd/aggd.service"),
		"usr/lib/systemd/system/sysinit.target":        "[Unit]\n",
		"usr/lib/systemd/system/basic.target":          "[Unit]\n",
		"usr/lib/systemd/system/shutdown.target":       "[Unit]\n",
		"usr/lib/systemd/system/network-online.target": "[Unit]\n",
		"usr/lib/systemd/system/multi-user.target":     "[Unit]\n",
		"usr/lib/systemd/system/system.slice":          "[Unit]\n",
		"usr/lib/systemd/system/-.mount":               "[Unit]\n[Mount]\nWhat=none\nWhere=/\n",
		"usr/local/bin/aggd":                           "#!/bin/sh\n",
	}
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(p, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// about gives the lines that speak of our unit; the machine around it is a sketch.
func about(out, unit string) (lines []string) {
	for line := range strings.Lines(out) {
		if strings.Contains(line, unit) {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestSystemdAcceptsTheUnit(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	dir := machine(t)
	unit := "usr/lib/systemd/system/aggd.service"
	verify := func() []string {
		out, _ := runIt(analyze, "verify", "--man=no", "--recursive-errors=no", "--root="+dir, "/"+unit)
		return about(out, "aggd.service")
	}
	if lines := verify(); len(lines) > 0 {
		t.Errorf("systemd-analyze verify: %q", lines)
	}
	broken := strings.Replace(read(t, dir, unit), "[Service]", "[Service]\nWatchdogSecond=3", 1)
	if err := os.WriteFile(filepath.Join(dir, unit), []byte(broken), 0o644); err != nil {
		t.Fatal(err)
	}
	if len(verify()) == 0 {
		t.Error("systemd-analyze verify finds nothing in a broken unit either")
	}
}

// 0 is closed, 10 wide open; what is left is the network.
func TestTheUnitIsHardened(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	out := mustRun(t, analyze, "security", "--offline=yes", "--threshold=20", "--root="+machine(t), "aggd.service")
	if !strings.Contains(out, "Overall exposure level for aggd.service") {
		t.Errorf("got %s", out)
	}
}

// Restarts and times fit to what aggd does.
func TestTheUnitFitsAggd(t *testing.T) {
	unit := read(t, deploy, "systemd/aggd.service")
	value := func(key string) string {
		m := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindStringSubmatch(unit)
		if m == nil {
			t.Fatalf("no %s", key)
		}
		return m[1]
	}
	stop, err := time.ParseDuration(value("TimeoutStopSec"))
	if limit := config.Default().ShutdownTimeout; err != nil || stop <= limit {
		t.Errorf("systemd kills after %s what may take %s: %v", stop, limit, err)
	}
	if value("Type") != "notify" || value("RestartPreventExitStatus") != "1 2" {
		t.Error("the unit does not wait for READY=1, or restarts what cannot start")
	}
	if !strings.Contains(read(t, deploy, "systemd/aggd.sysusers"), "u "+value("User")+" ") {
		t.Error("the user of the unit is not made")
	}
}
