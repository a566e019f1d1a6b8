package main

import (
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl/report"
)

func diffCommand() *cobra.Command {
	f := &reportFlags{}
	c := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Tell what changed between two manifests, and whether stored events stay readable",
		Long: "Compare two manifest sets, each aggregate by its name. Each change has an impact:\n\n" +
			"  breaking     stored events can no longer be read; exit code 1\n" +
			"  replay       the same events may give another state: snapshots are dropped\n" +
			"  clients      what was accepted or answered before may be no longer\n" +
			"  forward      the old manifest cannot read what the new one stores: there is no way back\n" +
			"  compatible   nobody has to do anything\n\n" +
			"Events are compared by their stored form, each version with the same version. Rules are compared\n" +
			"by their text: whether a changed rule decides otherwise, tests tell.",
		Example: "  aggc diff released/ examples/bank\n  aggc diff --format json old.agg account.agg",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return f.diff(args[0], args[1], c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f.add(c, "text", "text or json")
	return c
}

func (f *reportFlags) diff(old, now string, stdout, stderr io.Writer) error {
	if f.format != "text" && f.format != "json" {
		return misused("unknown format %q: text or json", f.format)
	}
	a, err := compiled(old, stderr)
	if err != nil {
		return err
	}
	b, err := compiled(now, stderr)
	if err != nil {
		return err
	}
	list := report.NewDiff(a, b)
	if f.typ != "" {
		list = slices.DeleteFunc(list, func(d report.AggregateDiff) bool { return d.Aggregate != f.typ })
		if len(list) == 0 {
			return misused("there is no aggregate %s in either", f.typ)
		}
	}
	err = f.write(stdout, func(w io.Writer) error {
		if f.format == "json" {
			return report.WriteJSON(w, list)
		}
		return report.WriteDiff(w, list)
	})
	if err == nil && slices.ContainsFunc(list, func(d report.AggregateDiff) bool { return !d.Readable }) {
		return found()
	}
	return err
}
