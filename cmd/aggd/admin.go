package main

import (
	"encoding/json"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/internal/client"
)

// adminFlags are the flags of the verbs that call the admin door.
type adminFlags struct{ accessFlags }

func (f *adminFlags) add(c *cobra.Command) {
	f.server = os.Getenv("AGGREGATE_ADMIN")
	if f.server == "" {
		f.server = "http://127.0.0.1:8081"
	}
	c.Flags().StringVar(&f.server, "admin", f.server, "the daemon's admin door (AGGREGATE_ADMIN)")
	f.addCredentials(c)
}

// post sends a body to the admin door and prints the answer.
func (f *adminFlags) post(c *cobra.Command, path string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return f.ask(c, func(cl *client.Client) ([]byte, error) { return cl.Post(c.Context(), path, b) })
}

func (f *adminFlags) ask(c *cobra.Command, call func(*client.Client) ([]byte, error)) error {
	cl, err := f.open("")
	if err != nil {
		return err
	}
	body, err := call(cl)
	return answer(c, body, err)
}

func tenantsCommand() *cobra.Command {
	var f adminFlags
	c := &cobra.Command{
		Use: "tenants", Short: "Print the tenants of a daemon", Args: cobra.NoArgs,
		Example: "  aggd tenants --admin http://127.0.0.1:8081",
		RunE: func(c *cobra.Command, _ []string) error {
			return f.ask(c, func(cl *client.Client) ([]byte, error) { return cl.Get(c.Context(), "/admin/tenants") })
		},
	}
	f.add(c)
	return c
}

// drainCommand makes drain or resume, which are alike.
func drainCommand(use, path, short, long string) *cobra.Command {
	var (
		f   adminFlags
		all bool
	)
	c := &cobra.Command{
		Use: use + " [TENANT]", Short: short, Long: long, Args: cobra.MaximumNArgs(1),
		Example: "  aggd " + use + " acme\n  aggd " + use + " --all",
		RunE: func(c *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return errors.New("one tenant or --all is expected")
			}
			body := map[string]string{}
			if !all {
				body["tenant_id"] = args[0]
			}
			return f.post(c, path, body)
		},
	}
	f.add(c)
	c.Flags().BoolVar(&all, "all", false, "all tenants, those to come too")
	return c
}

func reloadCommand() *cobra.Command {
	var f adminFlags
	c := &cobra.Command{
		Use: "reload [WHAT …]", Short: "Let a daemon take up what has changed: manifests, quotas; exit 1 if something is refused",
		Long:    "Let a daemon read its manifests and quotas again: those named, or all. What has errors is refused, its old form stays\nin force, and the answer tells why.",
		Example: "  aggd reload\n  aggd reload manifests",
		RunE: func(c *cobra.Command, args []string) error {
			return f.post(c, "/admin/reload", map[string][]string{"only": args})
		},
	}
	f.add(c)
	return c
}
