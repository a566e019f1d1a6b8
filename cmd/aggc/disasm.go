package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
)

func disasmCommand() *cobra.Command {
	var typ string
	c := &cobra.Command{
		Use:     "disasm FILE",
		Short:   "Show the bytecode of a manifest or of a built file",
		Long:    "Show the tables and the code of compiled aggregates. FILE is a PATH or a file of `aggc build`.",
		Example: "  aggc disasm examples/bank/account.agg\n  aggc disasm build/Account" + builtExt,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return disasm(args[0], typ, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&typ, "type", "", "show this aggregate only")
	return c
}

func disasm(path, typ string, stdout, stderr io.Writer) error {
	list, err := readPrograms(path, stderr)
	if err != nil {
		return err
	}
	if typ != "" {
		p, err := pick(list, typ)
		if err != nil {
			return err
		}
		list = []*bytecode.Program{p}
	}
	for i, p := range list {
		if i > 0 {
			if _, err := io.WriteString(stdout, "\n"); err != nil {
				return failed(err)
			}
		}
		if err := bytecode.Disassemble(stdout, p); err != nil {
			return failed(err)
		}
	}
	return nil
}
