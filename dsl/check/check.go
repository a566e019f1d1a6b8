package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Options says what the sources do not.
type Options struct {
	// Files maps the name by which an import finds a file, slash separated and relative to the
	// root of the set, to the file. Nil: each file is found under its Source.Name.
	Files map[string]*ast.File
	// Uses, when it is not nil, takes up what names mean: for editors.
	Uses *Uses
}

// Files checks all files of one manifest set and reports what it finds to bag. The order of
// files and the order of the text in them do not matter. When bag holds errors afterwards, the
// result is incomplete: good for editors, not to be compiled.
func Files(files []*ast.File, opt Options, bag *diag.Bag) (set *Set) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(gaveUp); !ok {
				panic(r)
			}
			set = &Set{}
		}
	}()
	c := &checker{
		bag:      bag,
		aggs:     map[string]*agg{},
		records:  map[*value.RecordType]*typeDecl{},
		enums:    map[*value.EnumType]*typeDecl{},
		builtins: builtinTable(),
		uses:     opt.Uses,
		work:     maxWork,
	}
	for _, f := range files {
		c.ignores(f)
	}
	c.addFiles(files, opt)
	c.resolveImports()
	c.resolveTypes()
	c.resolveConsts()
	c.resolveSignatures()
	c.checkBodies()
	c.checkEffects()
	c.checkTests()
	c.warnUnused()
	c.sawDeclarations()
	return c.result()
}

// maxErrors is how many errors one run reports. A text with more is seldom a manifest, and each
// takes a search for what was meant.
const maxErrors = 1_000

// gaveUp is thrown when there are more.
type gaveUp struct{}

// checker is the state of one run of Files.
type checker struct {
	errors   int
	work     int64 // what is left for folding and constants
	bag      *diag.Bag
	files    []*file
	byName   map[string]*file
	aggs     map[string]*agg
	order    []*agg // sorted by name
	records  map[*value.RecordType]*typeDecl
	enums    map[*value.EnumType]*typeDecl
	builtins map[string]*builtinInfo
	types    []*typeDecl  // all, in order of files and text
	consts   []*constDecl // all
	fns      []*fnDecl    // all
	tests    []*Test
	uses     *Uses   // nil unless an editor asks
	loose    []*body // bodies outside of functions and derives, for the effects
}

// report adds a finding of code at span.
func (c *checker) report(code diag.Code, span diag.Span, format string, args ...any) *diag.Diagnostic {
	msg := format
	if len(args) > 0 {
		msg = fmt.Sprintf(format, args...)
	}
	if code.Severity() == diag.Error {
		if c.errors++; c.errors > maxErrors {
			c.bag.Report(diag.TooManyErrors, span, fmt.Sprintf("more than %d errors; the rest is not checked", maxErrors))
			panic(gaveUp{})
		}
	}
	return c.bag.Report(code, span, msg)
}

// declaredAt adds the place of a declaration to d.
func declaredAt(d *diag.Diagnostic, span diag.Span, format string, args ...any) {
	if span.IsZero() {
		return
	}
	d.Related = append(d.Related, diag.Related{Span: span, Message: fmt.Sprintf(format, args...)})
}

// replace offers to put text in the place of span.
func replace(d *diag.Diagnostic, safe bool, span diag.Span, text, title string) {
	d.Fixes = append(d.Fixes, diag.Fix{Title: title, Safe: safe, Edits: []diag.Edit{{Span: span, New: text}}})
}

func (c *checker) result() *Set {
	set := &Set{Tests: c.tests}
	for _, a := range c.order {
		set.Aggregates = append(set.Aggregates, c.finish(a))
	}
	for _, t := range c.tests {
		t.Fns = slices.DeleteFunc(t.Fns, func(f *Fn) bool { return slices.Contains(t.Of.Fns, f) })
	}
	return set
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// quoteList is `"a", "b" and "c"`, for messages.
func quoteList(names []string) string {
	var b strings.Builder
	for i, n := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			b.WriteString(" and ")
		default:
			b.WriteString(", ")
		}
		b.WriteByte('"')
		b.WriteString(n)
		b.WriteByte('"')
	}
	return b.String()
}
