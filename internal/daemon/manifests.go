package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/engine"
	"github.com/cloudlysis/aggregate/manifests"
)

// loadManifests compiles the set and shows what the checker finds. Nothing is opened when it
// has errors.
func (d *daemon) loadManifests() error {
	dir, index := d.opts.Settings.Manifests, ""
	if st, err := os.Stat(dir); err == nil && !st.IsDir() {
		dir, index = filepath.Split(filepath.Clean(dir))
	}
	reg, err := manifests.Open(os.DirFS(filepath.Clean(dir)), manifests.Options{Version: d.opts.Version, Index: index})
	var broken *manifests.Error
	if errors.As(err, &broken) {
		d.show(broken.Diagnostics)
		for _, p := range broken.Problems {
			fmt.Fprintln(d.opts.Diagnostics, p)
		}
		return ErrManifests
	}
	if err != nil {
		return err
	}
	d.show(reg.Current().Warnings)
	d.sets = reg
	d.metrics.Types(reg.Current().Types())
	return nil
}

func (d *daemon) show(list []*diag.Diagnostic) {
	_ = diag.Write(d.opts.Diagnostics, diag.Pretty, list, diag.Options{}) // standard error has no reader to tell
}

func manifestOf(s *manifests.Set) *engine.Manifest {
	return &engine.Manifest{Hash: s.Hash, Engine: s.Engine, Programs: s.Programs}
}

// keepManifest stores the sources of the set before anything is decided by it, so that every
// decision can be explained as long as the log is kept.
func (d *daemon) keepManifest(ctx context.Context) error {
	set := d.sets.Current()
	return d.stream.PutManifest(ctx, set.Hash, set.Sources)
}

// reloadManifests compiles the directory again and swaps the whole set, or nothing.
func (d *daemon) reloadManifests(ctx context.Context) (changed bool, hash string, err error) {
	before := d.sets.Current().Hash
	set, err := d.sets.Reload(manifests.Reload{Accept: func(next *manifests.Set) error {
		if err := d.stream.PutManifest(ctx, next.Hash, next.Sources); err != nil {
			return err
		}
		d.metrics.Types(next.Types())
		d.engine.Swap(manifestOf(next))
		return nil
	}})
	if err != nil {
		d.log.Error("reload refused: the old manifests stay in force", "manifest", before, "error", err)
		return false, before, err
	}
	if set.Hash != before {
		d.log.Info("manifests reloaded", "manifest", set.Hash, "before", before)
	}
	return set.Hash != before, set.Hash, nil
}
