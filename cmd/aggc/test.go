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

// testFlags are the arguments of `aggc test`.
type testFlags struct {
	paths          []string
	format         testrun.Format
	pick           *regexp.Regexp
	verbose        bool
	cover          coverFlags
	init, watch    bool
	seed           string // file with a history
	stdin          io.Reader
	stdout, stderr io.Writer
}

func testCommand() *cobra.Command {
	f := &testFlags{}
	var format, pick string
	c := &cobra.Command{
		Use:   "test [PATH …]",
		Short: "Run the tests of manifests",
		Long: "Run the tests that stand in manifests and in the _test.agg files beside them.\n\n" +
			"--run picks tests whose `Aggregate/title` matches; the title has its columns filled in, and the\n" +
			"number of its row, as in `Account/the fee of 80 is 0.80 [3]`. Without a PATH: this directory.\n\n" +
			"--cover tells what the tests exercise: requires both ways, rejections, ways of ifs and arms of\n" +
			"matches, events, invariants held and violated, commands in each status. The layout of a file does\n" +
			"not count. The other coverage flags imply it.\n\n" +
			"--init writes no test anew: it adds a skeleton to X_test.agg for each command and rejection that no\n" +
			"test asks for. --seed-from-log prints tests made of a recorded history: stored messages, or what\n" +
			"`aggd events` prints; - is standard input.",
		Example: "  aggc test examples\n  aggc test examples/bank --run 'Account/.*overdraft' -v\n  aggc test --format junit . > report.xml\n" +
			"  aggc test --cover --threshold 90 --coverprofile lcov.info --coverhtml coverage.html .\n" +
			"  aggc test --watch examples/bank\n  aggc test --init account.agg\n" +
			"  aggd events Account 0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d | aggc test --seed-from-log - account.agg > recorded_test.agg",
		RunE: func(c *cobra.Command, args []string) (err error) {
			f.paths, f.stdin, f.stdout, f.stderr = args, c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr()
			if f.format, err = testrun.ParseFormat(format); err != nil {
				return err
			}
			if pick != "" {
				if f.pick, err = regexp.Compile(pick); err != nil {
					return misused("--run: %w", err)
				}
			}
			if err := f.cover.settle(c.Flags().Changed("threshold")); err != nil {
				return err
			}
			return f.verb(c)
		},
	}
	c.Flags().StringVar(&pick, "run", "", "run only the tests that this regular expression matches")
	c.Flags().StringVar(&format, "format", "pretty", "pretty, json, junit or tap")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show passed tests too, with their gas")
	c.Flags().BoolVar(&f.watch, "watch", false, "run again when a manifest changes, until interrupted")
	c.Flags().BoolVar(&f.init, "init", false, "add skeletons of the tests that are missing to the _test.agg files")
	c.Flags().StringVar(&f.seed, "seed-from-log", "", "print tests made of the history in this file")
	f.cover.add(c)
	c.MarkFlagsMutuallyExclusive("watch", "init", "seed-from-log")
	return c
}

func (f *testFlags) verb(c *cobra.Command) error {
	switch {
	case f.init:
		return f.skeletons()
	case f.seed != "":
		return f.seeded()
	case f.watch:
		return f.watched(c.Context())
	}
	return f.test()
}

// compiled compiles the sets with their tests. What is wrong has been shown when there is an
// error.
func (f *testFlags) compiled() ([]*set, []*dsl.Result, error) {
	sets, err := readSets(f.paths)
	if err != nil {
		return nil, nil, err
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
		if err := showErrors(broken, f.stderr); err != nil {
			return nil, nil, err
		}
		return nil, nil, foundIn(broken)
	}
	return sets, results, nil
}

func (f *testFlags) test() error {
	sets, results, err := f.compiled()
	if err != nil {
		return err
	}
	all := &testrun.Report{}
	declared := 0
	for i, s := range sets {
		declared += len(results[i].Set.Tests)
		r := testrun.Run(results[i], f.options(s))
		all.Results = append(all.Results, r.Results...)
		all.Elapsed += r.Elapsed
	}
	if f.pick != nil && len(all.Results) == 0 && declared > 0 {
		return misused("--run matches none of %s", plural(declared, "test"))
	}
	all.Elapsed = max(all.Elapsed, time.Microsecond)
	if err := all.Write(f.stdout, f.format, testrun.WriteOptions{Color: colored(f.stdout), Verbose: f.verbose}); err != nil {
		return failed(err)
	}
	if f.cover.on {
		if err := f.covered(sets, results); err != nil {
			return err
		}
	}
	if all.Failed() > 0 {
		return found()
	}
	return nil
}

// options are those for a set.
func (f *testFlags) options(s *set) testrun.Options {
	return testrun.Options{Run: f.pick, FileName: s.shown}
}
