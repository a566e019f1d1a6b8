package deploytest

import (
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/cloudlysis/aggregate/internal/config"
)

// elsewhere are the variables of deploy/ that are not aggd's settings.
var elsewhere = []string{"AGGREGATE_CONFIG", "AGGREGATE_MANIFEST_DIR"}

func TestEverySettingExists(t *testing.T) {
	found := 0
	for path, text := range deployed(t) {
		for _, name := range regexp.MustCompile(`\bAGGREGATE_[A-Z_]+\b`).FindAllString(text, -1) {
			found++
			known := slices.ContainsFunc(config.Table, func(r config.Row) bool { return r.Env == name })
			if !known && !slices.Contains(elsewhere, name) {
				t.Errorf("%s: %s is no setting of aggd", path, name)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d settings are found: does the search still work?", found)
	}
}

// The file of the systemd unit is what aggd reads, and where the unit and the package put things.
func TestSystemdSettings(t *testing.T) {
	s, values, err := config.Load(config.Sources{File: filepath.Join(deploy, "systemd/aggregate.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	if s.Manifests != "/etc/aggd/manifests" || s.Data != "/var/lib/aggd" {
		t.Errorf("got %+v", s)
	}
	s.Manifests, s.Data = root+"/examples/bank", t.TempDir()
	if err := s.Validate(); err != nil {
		t.Errorf("%v\n%v", err, values)
	}
}
