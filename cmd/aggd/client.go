package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/internal/client"
)

// clientFlags are the flags of every verb that calls a daemon for a tenant.
type clientFlags struct {
	accessFlags
	tenant string
}

func (f *clientFlags) add(c *cobra.Command) {
	f.accessFlags.add(c)
	c.Flags().StringVar(&f.tenant, "tenant", "", "the tenant; empty: the daemon's default")
}

// ask opens the daemon and prints what call gets from it.
func (f *clientFlags) ask(c *cobra.Command, call func(*client.Client) ([]byte, error)) error {
	cl, err := f.open(f.tenant)
	if err != nil {
		return err
	}
	body, err := call(cl)
	return answer(c, body, err)
}

// answer prints a body; a refusal goes to standard output too, since it is the answer.
func answer(c *cobra.Command, body []byte, err error) error {
	if len(body) > 0 {
		fmt.Fprintln(c.OutOrStdout(), strings.TrimRight(string(body), "\n"))
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, client.ErrRefused):
		return &exitError{code: exitRefused, err: err, quiet: len(body) > 0}
	}
	return &exitError{code: exitEnvError, err: err}
}

// commandFlags are the flags of the verbs that send a command, and what they make of it.
type commandFlags struct {
	clientFlags
	cmd     client.Command
	version uint64
	meta    []string
}

func (f *commandFlags) add(c *cobra.Command) {
	f.clientFlags.add(c)
	c.Flags().StringVar(&f.cmd.CommandID, "command-id", "", "a UUID; a repeat with the same one is answered with the first reply")
	c.Flags().Uint64Var(&f.version, "if-version", 0, "refuse unless the aggregate stands at this version")
	c.Flags().StringSliceVar(&f.cmd.Roles, "roles", nil, "ctx.roles, where the daemon has no authentication")
	c.Flags().StringArrayVar(&f.meta, "meta", nil, "name=value for ctx.meta; may be repeated")
}

// command reads TYPE ID COMMAND [name=value …].
func (f *commandFlags) command(c *cobra.Command, args []string) (client.Command, error) {
	f.cmd.Type, f.cmd.ID = args[0], args[1]
	var err error
	if f.cmd.Payload, err = client.Payload(args[2], args[3:]); err != nil {
		return f.cmd, err
	}
	if c.Flags().Changed("if-version") {
		f.cmd.Version = &f.version
	}
	f.cmd.Meta, err = pairs(f.meta)
	return f.cmd, err
}

const valuesHelp = "A value that is JSON is sent digit for digit (75, 0.10, true, null, [1,2], \"text\"), any other as text.\n" +
	"name:=value sends text as it is, name=@FILE the JSON of a file."

func submitCommand() *cobra.Command {
	var f commandFlags
	c := &cobra.Command{
		Use:     "cmd TYPE ID COMMAND [name=value …]",
		Short:   "Send a command to an aggregate",
		Long:    "Send a command to an aggregate of a running daemon and print the reply.\n\n" + valuesHelp,
		Example: "  aggd cmd Account 0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d withdraw amount=75 --tenant acme",
		Args:    cobra.MinimumNArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			cmd, err := f.command(c, args)
			if err != nil {
				return err
			}
			return f.ask(c, func(cl *client.Client) ([]byte, error) { return cl.Submit(c.Context(), cmd) })
		},
	}
	f.add(c)
	return c
}

func simulateCommand() *cobra.Command {
	var f commandFlags
	c := &cobra.Command{
		Use:   "simulate TYPE ID COMMAND [name=value …]",
		Short: "Ask what a command would do; nothing is persisted",
		Long: "Let a running daemon decide a command on an aggregate as it now stands, without persisting anything, and print\n" +
			"the events, the new state and the lines of the rules that ran. Exit 1 if the command would be refused.\n\n" + valuesHelp,
		Example: "  aggd simulate Account 0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d withdraw amount=75 --tenant acme",
		Args:    cobra.MinimumNArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			cmd, err := f.command(c, args)
			if err != nil {
				return err
			}
			return f.ask(c, func(cl *client.Client) ([]byte, error) { return cl.Simulate(c.Context(), cmd) })
		},
	}
	f.add(c)
	return c
}

func pairs(in []string) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range in {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("--meta %q: name=value is expected", s)
		}
		out[k] = v
	}
	return out, nil
}

func stateCommand() *cobra.Command {
	var flags clientFlags
	c := &cobra.Command{
		Use: "state TYPE ID", Short: "Print the state of an aggregate", Args: cobra.ExactArgs(2),
		Example: "  aggd state Account 0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d --tenant acme",
		RunE: func(c *cobra.Command, args []string) error {
			return flags.ask(c, func(cl *client.Client) ([]byte, error) { return cl.State(c.Context(), args[0], args[1]) })
		},
	}
	flags.add(c)
	return c
}

func eventsCommand() *cobra.Command {
	var (
		flags clientFlags
		after uint64
	)
	c := &cobra.Command{
		Use: "events TYPE ID", Short: "Print the events of an aggregate", Args: cobra.ExactArgs(2),
		Example: "  aggd events Account 0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d --tenant acme --after 3",
		RunE: func(c *cobra.Command, args []string) error {
			return flags.ask(c, func(cl *client.Client) ([]byte, error) { return cl.Events(c.Context(), args[0], args[1], after) })
		},
	}
	flags.add(c)
	c.Flags().Uint64Var(&after, "after", 0, "only events after this version")
	return c
}
