package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/compile"
)

// withGas gives check the flag --gas, which adds a table of what each rule may cost.
func withGas(c *cobra.Command) *cobra.Command {
	gas := c.Flags().Bool("gas", false, "print the most gas that each rule can take, or which bound would give it one (pretty and short)")
	check := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if format := c.Flag("format").Value.String(); *gas && format != "pretty" && format != "short" {
			return misused("--gas prints a table, which goes with --format pretty and short")
		}
		err := check(c, args)
		if !*gas {
			return err
		}
		if err := gasTables(args, c.OutOrStdout()); err != nil {
			return err
		}
		return err
	}
	return c
}

// gasTables writes a table for each aggregate of the sets that compile.
func gasTables(paths []string, w io.Writer) error {
	sets, err := readSets(paths)
	if err != nil {
		return err
	}
	for _, s := range sets {
		for _, p := range s.compile(false).Programs {
			if err := gasTable(w, p); err != nil {
				return failed(err)
			}
		}
	}
	return nil
}

func gasTable(w io.Writer, p *dsl.Program) error {
	if _, err := fmt.Fprintf(w, "%s: gas %d\n", p.Name, compile.GasLimit(p.Program)); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, b := range compile.RuleBounds(p.Aggregate, p.Program) {
		over := ""
		if b.Gas > b.Limit && b.Gas != compile.OverLimit {
			over = " (over)"
		}
		fmt.Fprintf(t, "  %s\t%s%s\n", b.Rule, b.Text(), over)
	}
	return t.Flush()
}
