package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl/report"
)

func graphCommand() *cobra.Command {
	f := &reportFlags{}
	c := &cobra.Command{
		Use:   "graph [PATH]",
		Short: "Draw the life of aggregates as state diagrams",
		Long: "Draw one diagram for each enum of the state: an edge leads from a member to another when a command\n" +
			"that is taken there can emit an event whose apply sets it. A double box is final, a dashed one is\n" +
			"never reached.\n\n" +
			"svg is one drawing: of the enum that rules mention most, unless --field says; it needs --type when\n" +
			"the set has several aggregates.",
		Example: "  aggc graph examples/order\n  aggc graph examples/bank --format svg -o account.svg\n  aggc graph examples/bank --format dot | dot -Tpdf > account.pdf",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return graph(f, args, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f.add(c, "mermaid", "mermaid, dot, svg or json")
	f.addField(c, "only this enum or bool of the state")
	return c
}

func graph(f *reportFlags, args []string, stdout, stderr io.Writer) error {
	write := map[string]func(*report.Graph, io.Writer) error{
		"mermaid": (*report.Graph).Mermaid, "dot": (*report.Graph).Dot, "svg": (*report.Graph).SVG,
	}[f.format]
	if write == nil && f.format != "json" {
		return misused("unknown format %q: mermaid, dot, svg or json", f.format)
	}
	m, err := f.readManifest(args, stderr)
	if err != nil {
		return err
	}
	if f.format == "svg" && len(m.set.Aggregates) > 1 {
		return misused("an svg is one drawing: say which aggregate, --type")
	}
	var list []*report.Graph
	for _, a := range m.set.Aggregates {
		field := f.field
		if at := report.StatusField(a); f.format == "svg" && field == "" && at >= 0 {
			field = a.State[at].Name
		}
		gs, err := report.NewGraphs(a, field)
		if err != nil {
			return misused("%v", err)
		}
		list = append(list, gs...)
	}
	if len(list) == 0 && f.format != "json" {
		return misused("no state has an enum to draw")
	}
	return f.write(stdout, func(w io.Writer) error {
		if f.format == "json" {
			return report.WriteJSON(w, list)
		}
		return each(w, list, write)
	})
}
