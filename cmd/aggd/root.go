package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes, the same for every verb.
const (
	exitOK       = 0
	exitRefused  = 1 // the daemon or the check said no
	exitUsage    = 2
	exitEnvError = 3 // the environment failed: a port, a disk, a server
)

// exitError is an error with its exit code; quiet ones have been shown already.
type exitError struct {
	code  int
	err   error
	quiet bool
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func run(args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "aggd",
		Short:         "Serve aggregates that are declared in .agg manifests",
		Long:          "aggd serves a set of .agg manifests: commands over gRPC and HTTP, events in NATS JetStream,\nsnapshots in BuntDB. On a laptop it needs nothing: it embeds a NATS server.",
		Example:       "  aggd serve examples/bank\n  aggd cmd Account 0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d deposit amount=75 --tenant acme",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version,
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(serveCommand(), submitCommand(), simulateCommand(), stateCommand(), eventsCommand(),
		tenantsCommand(), drainCommand("drain", "/admin/drain", "Refuse new commands of a tenant, and wait for those under way",
			"Refuse new commands of a tenant, or of all with --all, and return when what was under way is settled: the tenant may\nmove. aggd resume takes it back."),
		drainCommand("resume", "/admin/resume", "Take a drain back", "Take commands of a drained tenant again, or of all with --all."), reloadCommand(),
		configCommand(), healthCommand(), tokenCommand(), benchCommand(), verifyCommand(), versionCommand())
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	var e *exitError
	if !errors.As(err, &e) {
		e = &exitError{code: exitUsage, err: err}
	}
	if !e.quiet {
		fmt.Fprintln(stderr, "aggd:", err)
	}
	return e.code
}

// textOrJSON checks a --format.
func textOrJSON(format string) error {
	if format != "text" && format != "json" {
		return fmt.Errorf("--format %q: text or json is expected", format)
	}
	return nil
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs, Example: "  aggd version",
		Run: func(c *cobra.Command, _ []string) { fmt.Fprintln(c.OutOrStdout(), "aggd", version) },
	}
}
