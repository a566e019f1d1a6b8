package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/report"
	"github.com/cloudlysis/aggregate/dsl/testrun"
)

// coverFlags are the coverage flags of `aggc test`.
type coverFlags struct {
	on            bool
	threshold     float64
	profile, html string
}

func (f *coverFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.on, "cover", false, "show what the tests exercise, and what is missing")
	c.Flags().Float64Var(&f.threshold, "threshold", 0, "exit with 1 when less than this percentage is covered")
	c.Flags().StringVar(&f.profile, "coverprofile", "", "write the coverage to this file as lcov")
	c.Flags().StringVar(&f.html, "coverhtml", "", "write the coverage to this file as a page")
}

func (f *coverFlags) settle(threshold bool) error {
	if f.threshold < 0 || f.threshold > 100 || f.threshold != f.threshold {
		return misused("--threshold is a percentage from 0 to 100")
	}
	f.on = f.on || threshold || f.profile != "" || f.html != ""
	return nil
}

// covered measures and shows coverage, also when tests have failed.
func (f *testFlags) covered(sets []*set, results []*dsl.Result) error {
	all := &testrun.Coverage{}
	for i, s := range sets {
		c, err := testrun.Cover(results[i], testrun.CoverOptions{Options: f.options(s), Status: report.StatusField})
		if err != nil {
			return &exitError{exitFound, fmt.Errorf("coverage cannot be measured: %w", err)}
		}
		all.Add(c)
	}
	w := f.stdout
	if f.format != testrun.Pretty {
		w = f.stderr // the report is for a program
	}
	if err := all.WriteText(w); err != nil {
		return failed(err)
	}
	if err := writeTo(f.cover.profile, all.WriteLCOV); err != nil {
		return err
	}
	if err := writeTo(f.cover.html, all.WriteHTML); err != nil {
		return err
	}
	if _, n := all.Tally(); n.Below(f.cover.threshold) {
		return &exitError{exitFound, fmt.Errorf("coverage is %.2f%% (%d of %d), below the threshold of %v%%", n.Percent(), n.Covered, n.All, f.cover.threshold)}
	}
	return nil
}

// writeTo writes a file whole; an empty name is no file.
func writeTo(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return failed(err)
	}
	return failed(replaceFile(name, b.Bytes()))
}
