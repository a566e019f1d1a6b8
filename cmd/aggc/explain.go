package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "explain [CODE]",
		Short:   "Explain a code such as AGG2003, with an example",
		Long:    "Explain a code of a finding, with an example that yields it. Without a CODE: list all codes.",
		Example: "  aggc explain AGG2003\n  aggc explain 2003",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listCodes(c.OutOrStdout())
			}
			return explain(args[0], c.OutOrStdout())
		},
	}
}

func explain(code string, stdout io.Writer) error {
	info, ok := diag.Explain(diag.Code(code))
	if !ok {
		return misused("there is no code %q; `aggc explain` lists all", code)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s[%s]: %s\n\n%s\n", info.Severity, info.Code, info.Title, info.Doc)
	if example := strings.Trim(info.Example, "\n"); example != "" {
		b.WriteString("\nExample:\n\n")
		for line := range strings.Lines(example) {
			b.WriteString("  " + line)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(stdout, b.String())
	return failed(err)
}

func listCodes(stdout io.Writer) error {
	var b strings.Builder
	for _, info := range diag.Codes() {
		fmt.Fprintf(&b, "%s  %-7s  %s\n", info.Code, info.Severity, info.Title)
	}
	_, err := io.WriteString(stdout, b.String())
	return failed(err)
}
