package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
)

// Exit codes, the same for every verb.
const (
	exitOK       = 0
	exitFound    = 1 // the check found something: an error, a failed test, a refusal
	exitUsage    = 2
	exitEnvError = 3 // the environment failed: a file, a disk
)

// exitError is an error with its exit code; one without err has been shown already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// found ends a verb whose findings have been shown.
func found() error { return &exitError{code: exitFound} }

// failed is an error of the environment.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitEnvError, err}
}

// misused is an error in the arguments.
func misused(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// rootCommand is aggc with all its verbs.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "aggc",
		Short: "Check, test, format and compile .agg manifests",
		Long: "aggc is the tool of those who write .agg manifests.\n\n" +
			"A PATH is a .agg file (with what it imports and the _test.agg file beside it), a directory, or an\n" +
			"index (manifests.yaml); several files are one set, each directory and each index is one.\n\n" +
			"Exit codes: 0 ok, 1 the check found something, 2 wrong use, 3 the environment failed.",
		Example:       "  aggc check examples\n  aggc test examples/bank\n  aggc decide examples/bank --command deposit.json --state state.json",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(checkCommand(), testCommand(), fmtCommand(), buildCommand(), disasmCommand(), decideCommand(), explainCommand(), lspCommand(), fixCommand(), versionCommand())
	root.AddCommand(initCommand(), docCommand(), matrixCommand(), graphCommand(), schemaCommand(), diffCommand())
	return root
}

// run runs one verb and gives its exit code. It touches no stream but those given.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	var e *exitError
	if !errors.As(err, &e) {
		e = &exitError{exitUsage, err}
	}
	if e.err != nil {
		fmt.Fprintln(stderr, "aggc:", err)
	}
	if e.code == exitUsage {
		fmt.Fprintln(stderr, "see: aggc help")
	}
	return e.code
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of aggc and of the bytecode that it writes",
		Example: "  aggc version", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "aggc %s, bytecode %d\n", version, bytecode.Version)
			return failed(err)
		},
	}
}

// colored tells whether w is a terminal whose user has not asked for plain text
// (https://no-color.org).
func colored(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
