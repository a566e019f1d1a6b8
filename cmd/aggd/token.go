package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/server/auth"
)

func tokenCommand() *cobra.Command {
	var (
		actor, tenant string
		roles         []string
		admin         bool
	)
	c := &cobra.Command{
		Use: "token", Short: "Make a bearer token and the line for the file of auth.tokens", Args: cobra.NoArgs,
		Long: "Make a random bearer token. It is shown once; the file keeps only its SHA-256. The file is\n\n" +
			"  tokens:\n  - {sha256: …, actor: ann, tenant: acme, roles: [\"teller\"]}\n  - {sha256: …, actor: ops, tenant: \"*\", roles: [], admin: true}\n\n" +
			"A tenant of * may name any; admin opens the admin door. A changed file is taken up within a second.",
		Example: "  aggd token --actor ann --tenant acme --roles teller\n  aggd token --actor ops --tenant '*' --admin",
		RunE: func(c *cobra.Command, _ []string) error {
			if tenant != "*" {
				if _, err := aggregate.ParseTenantID(tenant); err != nil {
					return err
				}
			}
			token, hash := auth.NewToken()
			line := fmt.Sprintf("sha256: %s, actor: %s, tenant: %s, roles: %s", hash, quoted(actor), quoted(tenant), quoted(append([]string{}, roles...)))
			if admin {
				line += ", admin: true"
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "token: %s\nline:  - {%s}\n", token, line)
			return err
		},
	}
	c.Flags().StringVar(&actor, "actor", "NAME", "who has it: ctx.actor")
	c.Flags().StringVar(&tenant, "tenant", "TENANT", "the tenant it is bound to; *: any; empty: the empty one")
	c.Flags().StringSliceVar(&roles, "roles", nil, "ctx.roles")
	c.Flags().BoolVar(&admin, "admin", false, "opens the admin door too")
	return c
}

// quoted is v as JSON, which YAML reads.
func quoted(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // into memory, of strings
	return strings.TrimSpace(b.String())
}
