package manifests

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// Set is one manifest set, compiled and verified. It is not to be changed.
type Set struct {
	// Hash is "sha256:…" over the sources that decide; files of tests are not among them.
	Hash string
	// Engine is the engine's version and that of the bytecode, such as 0.1.0/1.
	Engine   string
	Programs map[aggregate.Type]*vm.Program
	// Sources are the texts that Hash covers, by path: what explains every decision of the set.
	Sources map[string][]byte
	// Warnings are the findings that did not keep the set from being compiled.
	Warnings []*diag.Diagnostic
}

// Types lists the aggregate types of the set, sorted.
func (s *Set) Types() []aggregate.Type { return slices.Sorted(maps.Keys(s.Programs)) }

// Options say how sets are made.
type Options struct {
	// Version is the engine's version, kept with every commit.
	Version string
	// Cache may be nil: then every load compiles.
	Cache *Cache
	// Index, when set, is the index of the set in fsys; empty: manifests.yaml, .yml or .json, or
	// without one every file.
	Index string
}

// Error: a set cannot be used. Nothing of it is in force.
type Error struct {
	// Diagnostics are all findings of the compiler, warnings too, sorted by place.
	Diagnostics []*diag.Diagnostic
	// Problems are what speaks against the set beside the compiler: a program that fails
	// verification, a stored event that the new set could not read.
	Problems []string
}

// Findings are all that speaks against the set, a line each; those of the compiler with their place.
func (e *Error) Findings() []string {
	var lines []string
	for _, d := range e.Diagnostics {
		if d.Severity == diag.Error {
			lines = append(lines, d.String())
		}
	}
	return append(lines, e.Problems...)
}

func (e *Error) Error() string {
	lines := e.Findings()
	switch n := len(lines); n {
	case 0:
		return "the manifest set cannot be used"
	case 1:
		return "the manifest set cannot be used: " + lines[0]
	default:
		return fmt.Sprintf("the manifest set cannot be used: %s (and %d more)", lines[0], n-1)
	}
}

// Load reads, compiles and verifies the set in fsys. The error is an *[Error].
func Load(fsys fs.FS, o Options) (*Set, error) {
	files := read(fsys, o.Index)
	key := keyOf(files, o.Version)
	if set := o.Cache.get(key); set != nil {
		return set, nil
	}
	set, err := compile(files, o.Version)
	if err != nil {
		return nil, err
	}
	o.Cache.put(key, set)
	return set, nil
}

func read(fsys fs.FS, index string) *dsl.Files {
	if index == "" {
		return dsl.ReadDir(fsys)
	}
	return dsl.ReadIndex(fsys, index)
}

func compile(files *dsl.Files, version string) (*Set, error) {
	r := files.Compile(dsl.Options{})
	if !r.OK {
		return nil, &Error{Diagnostics: r.Diagnostics}
	}
	set := &Set{Hash: r.Hash, Engine: fmt.Sprintf("%s/%d", version, bytecode.Version), Warnings: r.Diagnostics,
		Programs: make(map[aggregate.Type]*vm.Program, len(r.Programs)), Sources: map[string][]byte{}}
	var problems []string
	for _, p := range r.Programs {
		t, err := aggregate.ParseType(p.Name)
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		v, err := vm.Load(p.Program)
		if err != nil { // a defect of the compiler: better found here than by a command
			problems = append(problems, fmt.Sprintf("%s does not pass verification: %v", p.Name, err))
			continue
		}
		set.Programs[t] = v
	}
	if len(problems) > 0 {
		return nil, &Error{Diagnostics: r.Diagnostics, Problems: problems}
	}
	for _, s := range files.Sources {
		if !dsl.IsTest(s.Path) {
			set.Sources[s.Path] = s.Text
		}
	}
	return set, nil
}

// keyOf identifies everything that a compilation depends on, tests and index included, since
// findings come from them too.
func keyOf(files *dsl.Files, version string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%d\x00%d\x00", version, bytecode.Version, len(files.Diagnostics))
	add := func(name string, text []byte) {
		sum := sha256.Sum256(text)
		fmt.Fprintf(h, "%s\x00%x\n", name, sum)
	}
	if files.Index != nil {
		add(files.Index.File.Name, files.Index.File.Src)
	}
	for _, s := range files.Sources {
		add(s.Path, s.Text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// cacheSets is how many compiled sets a Cache keeps.
const cacheSets = 16

// Cache keeps the sets that were compiled last. A nil Cache keeps nothing. All methods may be
// called side by side.
type Cache struct {
	mu   sync.Mutex
	keys []string // oldest use first
	sets map[string]*Set
}

// NewCache makes an empty cache.
func NewCache() *Cache { return &Cache{sets: map[string]*Set{}} }

func (c *Cache) get(key string) *Set {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	set := c.sets[key]
	if set != nil {
		c.touch(key)
	}
	return set
}

func (c *Cache) put(key string, set *Set) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sets[key] = set
	c.touch(key)
	if len(c.keys) > cacheSets {
		delete(c.sets, c.keys[0])
		c.keys = c.keys[1:]
	}
}

func (c *Cache) touch(key string) {
	for i, k := range c.keys {
		if k == key {
			c.keys = append(c.keys[:i], c.keys[i+1:]...)
			break
		}
	}
	c.keys = append(c.keys, key)
}
