package manifests

import (
	"io/fs"
	"sync"
	"sync/atomic"
)

// Registry holds the set that is in force. All methods may be called side by side.
type Registry struct {
	fsys    fs.FS
	opts    Options
	reload  sync.Mutex
	current atomic.Pointer[Set]
}

// Open loads the set in fsys and keeps it as the current one. The error is an *[Error]. Without
// a cache in o the registry gets one of its own.
func Open(fsys fs.FS, o Options) (*Registry, error) {
	if o.Cache == nil {
		o.Cache = NewCache()
	}
	set, err := Load(fsys, o)
	if err != nil {
		return nil, err
	}
	r := &Registry{fsys: fsys, opts: o}
	r.current.Store(set)
	return r, nil
}

// Current is the set in force.
func (r *Registry) Current() *Set { return r.current.Load() }

// Reload says how a reload is done.
type Reload struct {
	// Force takes a set that could not read every event of the current one.
	Force bool
	// Accept, when set, is called with the new set before it is in force: to keep its sources,
	// to hand it to the engine. Its error keeps the current set.
	Accept func(*Set) error
}

// Reload loads the directory again and puts the new set in force. It is the current one when
// nothing has changed; then Accept is not called. On an error, an *[Error] or that of Accept,
// the current set stays in force. Reloads go one after another.
func (r *Registry) Reload(o Reload) (*Set, error) {
	r.reload.Lock()
	defer r.reload.Unlock()
	old := r.Current()
	next, err := Load(r.fsys, r.opts)
	if err != nil {
		return nil, err
	}
	if next.Hash == old.Hash {
		return old, nil
	}
	if problems := successor(old, next); len(problems) > 0 && !o.Force {
		return nil, &Error{Diagnostics: next.Warnings, Problems: problems}
	}
	if o.Accept != nil {
		if err := o.Accept(next); err != nil {
			return nil, err
		}
	}
	r.current.Store(next)
	return next, nil
}
