package main

import (
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	tree "github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/report"
)

// reportFlags are the flags that doc, matrix, graph and schema share.
type reportFlags struct {
	format, typ, field, out string
}

func (f *reportFlags) add(c *cobra.Command, format, formats string) {
	c.Flags().StringVar(&f.format, "format", format, formats)
	c.Flags().StringVar(&f.typ, "type", "", "this aggregate only")
	c.Flags().StringVarP(&f.out, "output", "o", "", "write to this file instead of standard output")
}

func (f *reportFlags) addField(c *cobra.Command, usage string) {
	c.Flags().StringVar(&f.field, "field", "", usage)
}

// manifest is a checked set that a report is made of.
type manifest struct {
	set   *tree.Set
	hash  string
	title string
}

// readManifest compiles the set at args[0], or this directory, and keeps only --type if given.
// With --field and no --type it keeps those aggregates that have the field.
func (f *reportFlags) readManifest(args []string, stderr io.Writer) (*manifest, error) {
	p := "."
	if len(args) > 0 {
		p = args[0]
	}
	r, err := compiled(p, stderr)
	if err != nil {
		return nil, err
	}
	set := &tree.Set{}
	var names []string
	for _, a := range r.Set.Aggregates {
		names = append(names, a.Name)
		if f.typ == "" || a.Name == f.typ {
			set.Aggregates = append(set.Aggregates, a)
		}
	}
	if len(set.Aggregates) == 0 {
		if len(names) == 0 {
			return nil, misused("no aggregate is declared there")
		}
		return nil, misused("there is no aggregate %s: there is %s", f.typ, strings.Join(names, ", "))
	}
	if f.field != "" && f.typ == "" {
		if err := f.keepThoseWithField(set); err != nil {
			return nil, err
		}
	}
	return &manifest{set, r.Hash, titleOf(p)}, nil
}

func (f *reportFlags) keepThoseWithField(set *tree.Set) error {
	var kept []*tree.Aggregate
	var missing []string
	for _, a := range set.Aggregates {
		if _, err := report.NewGraphs(a, f.field); err != nil {
			missing = append(missing, err.Error())
			continue
		}
		kept = append(kept, a)
	}
	if len(kept) == 0 {
		return misused("%s", strings.Join(missing, "; "))
	}
	set.Aggregates = kept
	return nil
}

// titleOf names a set by its path: examples/bank is bank.
func titleOf(p string) string {
	if abs, err := filepath.Abs(p); err == nil {
		p = abs
	}
	base := path.Base(filepath.ToSlash(p))
	return strings.TrimSuffix(base, path.Ext(base))
}

// write runs f on standard output or, with --output, on a file that changes only when all went
// well.
func (f *reportFlags) write(stdout io.Writer, emit func(io.Writer) error) error {
	if f.out == "" {
		return failed(emit(stdout))
	}
	var b strings.Builder
	if err := emit(&b); err != nil {
		return failed(err)
	}
	return failed(replaceFile(f.out, []byte(b.String())))
}
