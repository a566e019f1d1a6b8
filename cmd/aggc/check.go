package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

func checkCommand() *cobra.Command {
	var format string
	var deny bool
	c := &cobra.Command{
		Use:   "check [PATH …]",
		Short: "Report everything that is wrong with manifests",
		Long: "Check manifests without running anything and report all findings at once.\n\n" +
			"pretty and short go to standard error, json, sarif and github to standard output.\n" +
			"Warnings leave the exit code at 0 unless --deny-warnings. Without a PATH: this directory.",
		Example: "  aggc check examples/bank\n  aggc check --format github --deny-warnings .",
		RunE: func(c *cobra.Command, args []string) error {
			f, err := diag.ParseFormat(format)
			if err != nil {
				return err
			}
			return check(args, f, deny, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&format, "format", "pretty", "pretty, short, json, sarif or github")
	c.Flags().BoolVar(&deny, "deny-warnings", false, "exit with 1 on warnings too")
	return withGas(c)
}

func check(paths []string, f diag.Format, deny bool, stdout, stderr io.Writer) error {
	sets, err := readSets(paths)
	if err != nil {
		return err
	}
	var list []*diag.Diagnostic
	for _, s := range sets {
		list = append(list, s.compile(true).Diagnostics...)
	}
	w := stdout
	if f == diag.Pretty || f == diag.Short {
		w = stderr
	}
	if err := diag.Write(w, f, list, diag.Options{Color: colored(w)}); err != nil {
		return failed(err)
	}
	errors, warnings := tally(list)
	if f == diag.Pretty && errors+warnings > 0 {
		fmt.Fprintln(stderr, summary(errors, warnings))
	}
	if errors == 0 && !(deny && warnings > 0) {
		return nil
	}
	return foundIn(list)
}

// foundIn ends a verb that has shown findings: a file that could not be read is the
// environment's.
func foundIn(list []*diag.Diagnostic) error {
	for _, d := range list {
		if d.Code == diag.ManifestUnreadable {
			return &exitError{code: exitEnvError}
		}
	}
	return found()
}

func tally(list []*diag.Diagnostic) (errors, warnings int) {
	for _, d := range list {
		switch d.Severity {
		case diag.Error:
			errors++
		case diag.Warning:
			warnings++
		}
	}
	return errors, warnings
}

func summary(errors, warnings int) string {
	var parts []string
	if errors > 0 {
		parts = append(parts, plural(errors, "error"))
	}
	if warnings > 0 {
		parts = append(parts, plural(warnings, "warning"))
	}
	return strings.Join(parts, ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// showErrors writes the errors among findings for people. The error is nil unless that failed.
func showErrors(list []*diag.Diagnostic, stderr io.Writer) error {
	var errors []*diag.Diagnostic
	for _, d := range list {
		if d.Severity == diag.Error {
			errors = append(errors, d)
		}
	}
	return failed(diag.Write(stderr, diag.Pretty, errors, diag.Options{Color: colored(stderr)}))
}
