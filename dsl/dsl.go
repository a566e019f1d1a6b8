package dsl

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// Source is one .agg file. Path is slash separated and relative to the set's root; imports find
// a file by it.
type Source struct {
	Path string
	Text []byte
}

// Options says what to compile beside the rules.
type Options struct {
	// Tests adds the chunks of the tests to each program and a plan beside it.
	Tests bool
	// Index, when the set was read from one, says which aggregates there must be.
	Index *Index
	// Uses, when it is not nil, takes up what the names in the sources mean: for editors.
	Uses *check.Uses
}

// Result is a compiled set.
type Result struct {
	// Set is the checked set, also when there are errors: good for editors then.
	Set *check.Set
	// Files are the trees, one for each source, by path.
	Files []*ast.File
	// Programs are sorted by name; nil unless OK.
	Programs []*Program
	// Diagnostics are all findings, sorted by file and place, warnings too.
	Diagnostics []*diag.Diagnostic
	// Hash identifies the sources: see Hash.
	Hash string
	// OK tells that there is no error.
	OK bool
}

// Program is one compiled aggregate.
type Program struct {
	*bytecode.Program
	Aggregate *check.Aggregate
	// Tests are those for this aggregate, Plan how to run them; nil without Options.Tests.
	Tests []*check.Test
	Plan  *compile.TestPlan
	// Bounds are the most gas that each command can take, in the order of Commands.
	Bounds []compile.GasBound
}

// Program finds the program of an aggregate, or nil.
func (r *Result) Program(name string) *Program {
	i, ok := slices.BinarySearchFunc(r.Programs, name, func(p *Program, name string) int { return strings.Compare(p.Name, name) })
	if !ok {
		return nil
	}
	return r.Programs[i]
}

// Compile compiles a manifest set. It does not keep sources, and never fails but by diagnostics.
func Compile(sources []Source, opt Options) *Result {
	bag := &diag.Bag{}
	sources = sorted(sources, bag)
	files := make([]*ast.File, len(sources))
	for i := range sources {
		files[i] = parser.ParseFile(diag.NewFile(sources[i].Path, sources[i].Text), bag)
	}
	r := &Result{Hash: Hash(sources), Files: files, Set: check.Files(files, check.Options{Uses: opt.Uses}, bag)}
	if opt.Index != nil && bag.Errors() == 0 {
		opt.Index.match(r.Set, bag)
	}
	if bag.Errors() == 0 {
		r.lower(opt, bag)
	}
	if bag.Errors() == 0 { // what has an error may lack its warnings
		unusedIgnores(bag)
	}
	r.Diagnostics = bag.Sorted()
	r.OK = bag.Errors() == 0
	if !r.OK {
		r.Programs = nil
	}
	return r
}

// lower compiles each checked aggregate.
func (r *Result) lower(opt Options, bag *diag.Bag) {
	tests := map[*check.Aggregate][]*check.Test{}
	if opt.Tests {
		for _, t := range r.Set.Tests {
			tests[t.Of] = append(tests[t.Of], t)
		}
	}
	for _, a := range r.Set.Aggregates {
		p, plan, err := compile.Aggregate(a, tests[a])
		if limit := (*compile.LimitError)(nil); errors.As(err, &limit) {
			bag.Add(limit.Diagnostic)
			continue
		}
		bounds := compile.GasBounds(a, p)
		overGas(a, p, bounds, bag)
		outgrown(a, p, bounds, bag)
		r.Programs = append(r.Programs, &Program{Program: p, Aggregate: a, Tests: tests[a], Plan: plan, Bounds: bounds})
	}
}

// overGas warns of commands whose worst case is over their gas.
func overGas(a *check.Aggregate, p *bytecode.Program, bounds []compile.GasBound, bag *diag.Bag) {
	limit := compile.GasLimit(p)
	for i, b := range bounds {
		if b.Gas <= limit {
			continue
		}
		message := fmt.Sprintf("decide %s may take %d gas in the worst case, and %d is allowed", b.Command, b.Gas, limit)
		if b.Gas == compile.OverLimit {
			message = fmt.Sprintf("decide %s may take far more than the %d gas that are allowed: functions that call functions multiply", b.Command, limit)
		}
		d := bag.Report(diag.OverGas, a.Commands[i].DecideSpan, message)
		d.Hint = "tighten the bounds of the lists, maps and texts that it works on, or raise `gas`"
	}
}

// unusedIgnores warns of comments that hide nothing.
func unusedIgnores(bag *diag.Bag) {
	for _, g := range bag.UnusedIgnores() {
		d := bag.Report(diag.UnusedIgnore, g.Span, fmt.Sprintf("there is no warning %s here to ignore", g.Code))
		d.Hint = "remove the comment; it silences its own line or, alone on a line, the one below"
		d.Fixes = []diag.Fix{{Title: "remove the comment", Edits: []diag.Edit{{Span: g.Span}}}}
	}
}

// outgrown warns of commands that a growing state makes too dear.
func outgrown(a *check.Aggregate, p *bytecode.Program, bounds []compile.GasBound, bag *diag.Bag) {
	for _, g := range compile.Growths(a, p, bounds) {
		var paths, types []string
		for _, at := range g.Open {
			paths = append(paths, at.Path)
			types = append(types, at.Bounded(g.Most))
		}
		what, grows := strings.Join(paths, " and "), "grows"
		if len(paths) > 1 {
			grows = "grow"
		}
		d := bag.Report(diag.OutgrowsGas, a.Commands[g.Command].DecideSpan, fmt.Sprintf(
			"decide %s costs more and more as %s %s: over a length of %d it may take more than the %d gas that are allowed",
			a.Commands[g.Command].Name, what, grows, g.Most, compile.GasLimit(p)))
		d.Hint = fmt.Sprintf("bound it (%s), or keep in the state what the rule needs of it, such as a running sum", strings.Join(types, ", "))
		if g.Most == 0 {
			d.Hint = "keep in the state what the rule needs of it, such as a running sum"
		}
	}
}

// sorted gives the sources by path; of two with one path the second is reported and left out.
func sorted(sources []Source, bag *diag.Bag) []Source {
	out := slices.Clone(sources)
	slices.SortStableFunc(out, func(a, b Source) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(out, func(a, b Source) bool {
		if a.Path != b.Path {
			return false
		}
		bag.Report(diag.ManifestTwice, fileSpan(a.Path, a.Text), fmt.Sprintf("the set holds %s twice", a.Path))
		return true
	})
}

func fileSpan(name string, text []byte) diag.Span { return diag.Span{File: diag.NewFile(name, text)} }

// IsTest tells whether a path is that of a file of tests.
func IsTest(path string) bool { return strings.HasSuffix(path, "_test.agg") }

// Hash identifies what decides: "sha256:" and the hex of a sha256 over the paths and sha256s of
// the sources, sorted by path, one "path NUL hex LF" each. Files of tests decide nothing and
// are left out, so that a new test is no new manifest.
func Hash(sources []Source) string {
	lines := make([]string, 0, len(sources))
	for i := range sources {
		if IsTest(sources[i].Path) {
			continue
		}
		sum := sha256.Sum256(sources[i].Text)
		lines = append(lines, sources[i].Path+"\x00"+hex.EncodeToString(sum[:])+"\n")
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, l := range lines {
		h.Write([]byte(l))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
