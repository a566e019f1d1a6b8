package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long no file may change before the tests run: editors write in several steps.
const quiet = 100 * time.Millisecond

// watched runs the tests at once and after every change, until it is interrupted, which is its
// regular end.
func (f *testFlags) watched(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return failed(err)
	}
	defer w.Close()
	roots, err := f.roots()
	if err != nil {
		return failed(err)
	}
	for _, p := range roots {
		if err := watchTree(w, p); err != nil {
			return failed(err)
		}
	}
	for {
		if err := f.round(); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(f.stderr, "watching; interrupt to end"); err != nil {
			return failed(err)
		}
		changed, err := nextChange(ctx, w)
		if changed == "" || err != nil {
			return failed(err)
		}
		if _, err := fmt.Fprintf(f.stderr, "\n%s has changed\n", filepath.ToSlash(filepath.Clean(changed))); err != nil {
			return failed(err)
		}
	}
}

// round runs the tests. What they find ends nothing; misuse does, and an environment that fails
// does unless a file is missing just now.
func (f *testFlags) round() error {
	err := f.test()
	var e *exitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e) && e.code == exitFound || errors.Is(err, fs.ErrNotExist):
		if e.err != nil {
			fmt.Fprintln(f.stderr, "aggc:", e.err)
		}
		return nil
	case errors.As(err, &e) && e.code == exitEnvError && e.err == nil:
		return nil // an unreadable manifest, which has been shown
	}
	return err
}

// roots are the directories to watch. A PATH that is missing at the beginning is a mistake.
func (f *testFlags) roots() ([]string, error) {
	if len(f.paths) == 0 {
		return []string{"."}, nil
	}
	out := make([]string, len(f.paths))
	for i, p := range f.paths {
		out[i] = p
		info, err := os.Stat(p)
		switch {
		case err != nil:
			return nil, err
		case !info.IsDir():
			out[i] = filepath.Dir(p)
		}
	}
	return out, nil
}

// watchTree watches a directory and those below it whose names do not begin with a dot.
func watchTree(w *fsnotify.Watcher, root string) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && p != root:
			return nil // gone meanwhile
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case p != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		}
		return w.Add(p)
	})
}

// nextChange waits for a change and then for quiet. It gives one of the files, or "" when ctx
// has ended.
func nextChange(ctx context.Context, w *fsnotify.Watcher) (string, error) {
	changed := ""
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return "", nil
		case <-timer.C:
			return changed, nil
		case err, ok := <-w.Errors:
			if ok && errors.Is(err, fsnotify.ErrEventOverflow) {
				return "many files", nil
			}
			return "", err
		case e, ok := <-w.Events:
			if !ok {
				return "", nil
			}
			if name := changedFile(w, e); name != "" {
				changed = name
				timer.Reset(quiet)
			}
		}
	}
}

// changedFile is the manifest or index that an event is about. A directory that is new is watched
// and counts too: files may lie in it already.
func changedFile(w *fsnotify.Watcher, e fsnotify.Event) string {
	name := filepath.Base(e.Name)
	if e.Op == fsnotify.Chmod || strings.HasPrefix(name, ".") {
		return ""
	}
	if info, err := os.Stat(e.Name); err == nil && info.IsDir() {
		if !e.Has(fsnotify.Create) || watchTree(w, e.Name) != nil {
			return ""
		}
		return e.Name
	}
	if filepath.Ext(name) == ".agg" || isIndex(name) {
		return e.Name
	}
	return ""
}
