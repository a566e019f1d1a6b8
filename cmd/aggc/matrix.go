package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl/report"
)

func matrixCommand() *cobra.Command {
	f := &reportFlags{}
	c := &cobra.Command{
		Use:   "matrix [PATH]",
		Short: "Show which command is taken in which status, and from whom",
		Long: "Run every command in every status on what is known there, and tell for each pair:\n\n" +
			"  accepted          whatever the payload and the rest of the state are\n" +
			"  refused CODE      whatever they are\n" +
			"  depends [n]       on what note n says; the first line that applies decides\n\n" +
			"A command is taken to be valid, its sender to have the role that it asks for, and the invariants\n" +
			"to have held before it. Faults (overflow, gas, a full list) are defects, not verdicts. Below the\n" +
			"table stands who can do what when, in words.",
		Example: "  aggc matrix examples/bank\n  aggc matrix examples/order --field shipping --format markdown",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return matrix(f, args, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f.add(c, "text", "text, markdown or json")
	f.addField(c, "the enum or bool of the state that is the status; the enum that rules mention most if not given")
	return c
}

func matrix(f *reportFlags, args []string, stdout, stderr io.Writer) error {
	write := map[string]func(*report.Matrix, io.Writer) error{
		"text": (*report.Matrix).Text, "markdown": (*report.Matrix).Markdown,
	}[f.format]
	if write == nil && f.format != "json" {
		return misused("unknown format %q: text, markdown or json", f.format)
	}
	m, err := f.readManifest(args, stderr)
	if err != nil {
		return err
	}
	var list []*report.Matrix
	for _, a := range m.set.Aggregates {
		x, err := report.NewMatrix(a, f.field)
		if err != nil {
			return misused("%v", err)
		}
		list = append(list, x)
	}
	return f.write(stdout, func(w io.Writer) error {
		if f.format == "json" {
			return report.WriteJSON(w, list)
		}
		return each(w, list, write)
	})
}

// each writes the elements of a list with an empty line between them.
func each[T any](w io.Writer, list []T, write func(T, io.Writer) error) error {
	for i, x := range list {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		if err := write(x, w); err != nil {
			return err
		}
	}
	return nil
}
