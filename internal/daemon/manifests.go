package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/engine"
	"github.com/cloudlysis/aggregate/manifests"
)

// loadManifests compiles the set and shows what the checker finds. Nothing is opened when it
// has errors.
func (d *daemon) loadManifests() error {
	set, err := manifests.Load(os.DirFS(d.opts.Settings.Manifests), manifests.Options{Version: d.opts.Version})
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
	d.show(set.Warnings)
	d.set = set
	return nil
}

func (d *daemon) show(list []*diag.Diagnostic) {
	_ = diag.Write(d.opts.Diagnostics, diag.Pretty, list, diag.Options{}) // standard error has no reader to tell
}

func (d *daemon) manifest() *engine.Manifest {
	return &engine.Manifest{Hash: d.set.Hash, Engine: d.set.Engine, Programs: d.set.Programs}
}

// keepManifest stores the sources of the set before anything is decided by it, so that every
// decision can be explained as long as the log is kept.
func (d *daemon) keepManifest(ctx context.Context) error {
	return d.stream.PutManifest(ctx, d.set.Hash, d.set.Sources)
}
