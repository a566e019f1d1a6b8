package main

import (
	"io"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/testrun"
)

func testCommand() *cobra.Command {
	var format, pick string
	var verbose bool
	c := &cobra.Command{
		Use:   "test [PATH …]",
		Short: "Run the tests of manifests",
		Long: "Run the tests that stand in manifests and in the _test.agg files beside them.\n\n" +
			"--run picks tests whose `Aggregate/title` matches; the title has its columns filled in, and the\n" +
			"number of its row, as in `Account/the fee of 80 is 0.80 [3]`. Without a PATH: this directory.",
		Example: "  aggc test examples\n  aggc test examples/bank --run 'Account/.*overdraft' -v\n  aggc test --format junit . > report.xml",
		RunE: func(c *cobra.Command, args []string) error {
			f, err := testrun.ParseFormat(format)
			if err != nil {
				return err
			}
			var re *regexp.Regexp
			if pick != "" {
				if re, err = regexp.Compile(pick); err != nil {
					return misused("--run: %w", err)
				}
			}
			return test(args, re, f, verbose, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&pick, "run", "", "run only the tests that this regular expression matches")
	c.Flags().StringVar(&format, "format", "pretty", "pretty, json, junit or tap")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show passed tests too, with their gas")
	return c
}

func test(paths []string, pick *regexp.Regexp, f testrun.Format, verbose bool, stdout, stderr io.Writer) error {
	sets, err := readSets(paths)
	if err != nil {
		return err
	}
	results := make([]*dsl.Result, len(sets))
	var broken []*diag.Diagnostic
	for i, s := range sets {
		results[i] = s.compile(true)
		if !results[i].OK {
			broken = append(broken, results[i].Diagnostics...)
		}
	}
	if broken != nil {
		if err := showErrors(broken, stderr); err != nil {
			return err
		}
		return foundIn(broken)
	}
	all := &testrun.Report{}
	declared := 0
	for i, s := range sets {
		declared += len(results[i].Set.Tests)
		r := testrun.Run(results[i], testrun.Options{Run: pick, FileName: s.shown})
		all.Results = append(all.Results, r.Results...)
		all.Elapsed += r.Elapsed
	}
	if pick != nil && len(all.Results) == 0 && declared > 0 {
		return misused("--run matches none of %s", plural(declared, "test"))
	}
	all.Elapsed = max(all.Elapsed, time.Microsecond)
	if err := all.Write(stdout, f, testrun.WriteOptions{Color: colored(stdout), Verbose: verbose}); err != nil {
		return failed(err)
	}
	if all.Failed() > 0 {
		return found()
	}
	return nil
}
