package main

import (
	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/internal/lsp"
)

func lspCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "lsp", Short: "Serve an editor over standard input and output",
		Long: "Speak the Language Server Protocol on standard input and output; editors start it.\n" +
			"docs/editors.md tells how for VS Code, Neovim and Helix.",
		Example: "  aggc lsp", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return failed(lsp.Serve(c.Context(), c.InOrStdin(), c.OutOrStdout(), version))
		},
	}
	c.Flags().Bool("stdio", true, "what many editors pass; there is no other way")
	_ = c.Flags().MarkHidden("stdio")
	return c
}
