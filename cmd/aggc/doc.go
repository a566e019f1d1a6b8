package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl/report"
)

func docCommand() *cobra.Command {
	f := &reportFlags{}
	c := &cobra.Command{
		Use:   "doc [PATH]",
		Short: "Document manifests for the owners of the domain",
		Long: "Write what each aggregate does as one page: its life as a diagram, what is taken when and by whom,\n" +
			"commands with their fields, rules and refusals, events, state, derived values, invariants, roles.\n\n" +
			"The page is made of the manifest alone, so it is never out of date: /// comments are its text.\n" +
			"html is one file that needs nothing else, light or dark as the reader likes; markdown has its\n" +
			"diagrams as Mermaid.",
		Example: "  aggc doc examples/bank --format html -o bank.html\n  aggc doc examples/order > order.md",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return doc(f, args, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f.add(c, "markdown", "markdown or html")
	f.addField(c, "the enum of the state that is the status; the one that rules mention most if not given")
	return c
}

func doc(f *reportFlags, args []string, stdout, stderr io.Writer) error {
	if f.format != "markdown" && f.format != "html" {
		return misused("unknown format %q: markdown or html", f.format)
	}
	m, err := f.readManifest(args, stderr)
	if err != nil {
		return err
	}
	var docs []*report.Doc
	for _, a := range m.set.Aggregates {
		d, err := report.NewDoc(a, f.field)
		if err != nil {
			return misused("%v", err)
		}
		docs = append(docs, d)
	}
	return f.write(stdout, func(w io.Writer) error {
		if f.format == "html" {
			return report.WriteHTML(w, m.title, docs)
		}
		return report.WriteMarkdown(w, docs)
	})
}
