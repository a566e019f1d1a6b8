package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/internal/lsp"
)

// fixer is one run of `aggc fix`.
type fixer struct {
	diff, write bool
	stdout      io.Writer
	fixes       int
}

func fixCommand() *cobra.Command {
	f := &fixer{}
	c := &cobra.Command{
		Use:   "fix [-d] [-w] [PATH …]",
		Short: "Make the safe fixes that check knows of",
		Long: "Make every fix of a finding that is safe: one after which the text says what it was plainly meant\n" +
			"to say. Fixes that lay bare others are followed by those. Without a PATH: this directory.\n\n" +
			"Without -w nothing is written: the fixes are listed, with -d as differences, and the exit code\n" +
			"is 1 if there are any. What is left to do by hand, `aggc check` tells.",
		Example: "  aggc fix -d examples\n  aggc fix -w account.agg",
		RunE: func(c *cobra.Command, args []string) error {
			f.stdout = c.OutOrStdout()
			return f.run(args)
		},
	}
	c.Flags().BoolVarP(&f.diff, "diff", "d", false, "show the differences")
	c.Flags().BoolVarP(&f.write, "write", "w", false, "write the files")
	return c
}

func (f *fixer) run(args []string) error {
	sets, err := readSets(args)
	if err != nil {
		return err
	}
	for _, s := range sets {
		if err := f.set(s); err != nil {
			return err
		}
	}
	if f.fixes > 0 && !f.write {
		return found()
	}
	return nil
}

// set fixes one set. A file is written whole or not at all; when one cannot be, those before it
// stay written, and the next run does the rest.
func (f *fixer) set(s *set) error {
	after, done := lsp.Fix(s.files.Sources)
	f.fixes += len(done)
	if !f.diff {
		for _, d := range done {
			at := d.Diagnostic.Span.StartPosition()
			if _, err := fmt.Fprintf(f.stdout, "%s:%d:%d: %s: %s\n", s.shown(at.File), at.Line, at.Column, d.Diagnostic.Code, strings.TrimSpace(d.Title)); err != nil {
				return failed(err)
			}
		}
	}
	for i, src := range after {
		if old := s.files.Sources[i]; !bytes.Equal(old.Text, src.Text) {
			if err := f.file(s, old, src); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *fixer) file(s *set, old, src dsl.Source) error {
	name := s.shown(src.Path)
	if f.diff {
		if _, err := f.stdout.Write(diff.Diff(name+".orig", old.Text, name, src.Text)); err != nil {
			return failed(err)
		}
	}
	if !f.write {
		return nil
	}
	return failed(replaceFile(filepath.FromSlash(name), src.Text))
}
