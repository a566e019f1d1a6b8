package check

import (
	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// names are the declarations of one file or one aggregate, or those that a file sees.
type names struct {
	types  map[string]*typeDecl
	consts map[string]*constDecl
	fns    map[string]*fnDecl
	aggs   map[string]*agg
}

func newNames() *names {
	return &names{map[string]*typeDecl{}, map[string]*constDecl{}, map[string]*fnDecl{}, map[string]*agg{}}
}

// scope is what a declaration can name: the nearest layer first.
type scope struct {
	layers []*names
	agg    *agg // nil at top level
}

func (s *scope) typ(name string) *typeDecl {
	for _, l := range s.layers {
		if t := l.types[name]; t != nil {
			return t
		}
	}
	return nil
}

func (s *scope) constant(name string) *constDecl {
	for _, l := range s.layers {
		if d := l.consts[name]; d != nil {
			return d
		}
	}
	return nil
}

func (s *scope) fn(name string) *fnDecl {
	for _, l := range s.layers {
		if f := l.fns[name]; f != nil {
			return f
		}
	}
	return nil
}

// typeNames, constNames and fnNames are the visible names, for hints.
func (s *scope) typeNames() []string {
	return visible(s, func(n *names) map[string]*typeDecl { return n.types })
}

func (s *scope) constNames() []string {
	return visible(s, func(n *names) map[string]*constDecl { return n.consts })
}

func (s *scope) fnNames() []string {
	return visible(s, func(n *names) map[string]*fnDecl { return n.fns })
}

func visible[V any](s *scope, of func(*names) map[string]V) []string {
	var out []string
	for _, l := range s.layers {
		out = append(out, sortedKeys(of(l))...)
	}
	return out
}

// enumsWith are the names of the visible enums that have a member called name.
func (s *scope) enumsWith(name string) []string {
	var out []string
	for _, l := range s.layers {
		for _, n := range sortedKeys(l.types) {
			if t := l.types[n]; t.enum != nil && memberIndex(t, name) >= 0 {
				out = append(out, n)
			}
		}
	}
	return out
}

// progress marks what is resolved when first asked for, so that a cycle is seen.
type progress uint8

const (
	untouched progress = iota
	underway
	done
)

// typeDecl is an enum or a record.
type typeDecl struct {
	name      ast.Name
	enum      *ast.Enum
	record    *ast.Record
	scope     *scope
	typ       *value.Type
	types     progress // of the fields' types
	defaults  progress
	fields    *fieldSet      // of a record
	members   map[string]int // of an enum
	size      int            // of a record: its fields and those of the records in it
	recordOut *RecordDecl
	wheres    []*node // what its conditions use
	enumOut   *EnumDecl
}

func memberIndex(t *typeDecl, name string) int {
	if t.members == nil {
		t.members = make(map[string]int, len(t.enum.Members))
		for i, m := range t.enum.Members {
			if _, twice := t.members[m.Name.Text]; !twice {
				t.members[m.Name.Text] = i
			}
		}
	}
	if i, ok := t.members[name]; ok {
		return i
	}
	return -1
}

// constDecl is a const; its value is worked out when first asked for.
type constDecl struct {
	ast   *ast.Const
	scope *scope
	mark  progress
	typ   *value.Type
	value value.V
	bad   bool
}

// fnDecl is a function.
type fnDecl struct {
	ast   *ast.Fn
	scope *scope
	out   *Fn
	node  node
}

// file is one source file.
type file struct {
	name  string
	ast   *ast.File
	own   *names
	seen  *names // own and what the imported files declare
	scope *scope
	tests []*ast.Test
}

// agg is one aggregate under work.
type agg struct {
	out      *Aggregate
	ast      *ast.Aggregate
	file     *file
	names    *names
	scope    *scope
	stateAST *ast.State
	state    *fieldSet
	final    *ast.Final
	derives  []*deriveDecl
	derive   map[string]*deriveDecl
	indexes  []*ast.Index
	invs     []*ast.Invariant
	guards   []*guardDecl
	guard    map[string]*guardDecl
	roles    map[string]diag.Span
	commands []*commandDecl
	command  map[string]*commandDecl
	events   []*eventDecl // each name once, in order of the text
	event    map[string]*eventDecl
	upcasts  []*ast.Upcast
	decides  []*ast.Decide
	applies  []*ast.Apply
	codes    map[string]*codeUse
	emitted  map[*eventDecl]bool
	types    []*typeDecl  // its own, in order of the text
	consts   []*constDecl // its own
	fns      []*fnDecl    // its own
	rules    []*node      // all that its rules use is reached from these
	inv      map[string]diag.Span
	testName map[string]diag.Span
}

type deriveDecl struct {
	ast  *ast.Derive
	out  *Derive
	node node
}

type guardDecl struct {
	ast  *ast.Guard
	out  *Guard
	node node
	used bool
}

type commandDecl struct {
	ast    *ast.Command
	out    *Command
	fields *fieldSet
	decide *ast.Decide
	reads  []bool // which fields some rule reads
	ok     bool   // its decide was checked without errors
}

// eventDecl is all versions of one name.
type eventDecl struct {
	name     string
	versions []*eventVersion // ascending
	retired  bool
	apply    *ast.Apply
}

type eventVersion struct {
	decl   *eventDecl
	ast    *ast.Event
	out    *Event
	fields *fieldSet
	upcast *ast.Upcast
}

// current is the version that emit and apply mean.
func (e *eventDecl) current() *eventVersion { return e.versions[len(e.versions)-1] }

// codeUse is one rejection code and where rules give it.
type codeUse struct {
	spans []diag.Span
	live  bool // some place can be reached
}
