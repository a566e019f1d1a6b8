package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/internal/server/auth"
)

func tokenCommand() *cobra.Command {
	return &cobra.Command{
		Use: "token", Short: "Make a bearer token and the line for the file of auth.tokens", Args: cobra.NoArgs,
		Long:    "Make a random bearer token. It is shown once; the file keeps only its SHA-256.",
		Example: "  aggd token",
		Run: func(c *cobra.Command, _ []string) {
			token, hash := auth.NewToken()
			fmt.Fprintf(c.OutOrStdout(), "token: %s\nline:  - {sha256: %s, actor: NAME, tenant: TENANT, roles: []}\n", token, hash)
		},
	}
}
