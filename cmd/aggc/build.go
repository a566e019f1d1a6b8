package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
)

func buildCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "build [PATH] -o OUT",
		Short: "Compile manifests to files",
		Long: "Compile a manifest set without its tests to one file for each aggregate, OUT/Account" + builtExt + ".\n\n" +
			"Each file is read back and verified before it takes its name. The same sources give the same\n" +
			"bytes. Prints a line for each: the sha256 of the file and its name.",
		Example: "  aggc build examples -o build\n  aggc disasm build/Account" + builtExt,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return misused("say where to, -o OUT")
			}
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return build(dir, out, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "the directory that gets the files; made if missing")
	return c
}

func build(dir, out string, stdout, stderr io.Writer) error {
	list, err := readPrograms(dir, stderr)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return failed(err)
	}
	for _, p := range list {
		b := bytecode.Encode(p)
		if err := roundTrip(p.Name, b); err != nil {
			return err
		}
		name := filepath.Join(out, p.Name+builtExt)
		if err := replaceFile(name, b); err != nil {
			return failed(err)
		}
		if _, err := fmt.Fprintf(stdout, "%x  %s\n", bytecode.Hash(p), filepath.ToSlash(name)); err != nil {
			return failed(err)
		}
	}
	return nil
}

// roundTrip reads a program back as the machine would and verifies it.
func roundTrip(name string, b []byte) error {
	back, err := bytecode.Decode(b)
	switch {
	case err != nil:
		return failed(fmt.Errorf("%s cannot be read back: %w", name, err))
	case !bytes.Equal(bytecode.Encode(back), b):
		return failed(fmt.Errorf("%s is another program when read back", name))
	}
	return nil
}
