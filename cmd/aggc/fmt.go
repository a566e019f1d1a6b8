package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/format"
)

// formatter is one run of `aggc fmt`.
type formatter struct {
	list, diff, write bool
	stdin             io.Reader
	stdout, stderr    io.Writer
	differ            int  // files that are not in their form
	broken            bool // some file has syntax errors
}

func fmtCommand() *cobra.Command {
	f := &formatter{}
	c := &cobra.Command{
		Use:   "fmt [-l] [-d] [-w] [PATH … | -]",
		Short: "Print manifests in their one form",
		Long: "Print manifests in their one form. A PATH is a file or a directory, - is standard input; without\n" +
			"one: this directory.\n\n" +
			"-l and -d exit with 1 when a file is not in its form and -w does not write it. A file with\n" +
			"syntax errors is reported and left as it is.",
		Example: "  aggc fmt -w .\n  aggc fmt -l -d examples\n  aggc fmt - < account.agg",
		RunE: func(c *cobra.Command, args []string) error {
			f.stdin, f.stdout, f.stderr = c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr()
			return f.run(args)
		},
	}
	c.Flags().BoolVarP(&f.list, "list", "l", false, "list the files whose form differs")
	c.Flags().BoolVarP(&f.diff, "diff", "d", false, "show the differences")
	c.Flags().BoolVarP(&f.write, "write", "w", false, "write the form to the file")
	return c
}

func (f *formatter) run(args []string) error {
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, p := range args {
		var err error
		if p == "-" {
			err = f.standardInput()
		} else {
			err = f.path(p)
		}
		if err != nil {
			return err
		}
	}
	if f.broken || f.differ > 0 && !f.write && (f.list || f.diff) {
		return found()
	}
	return nil
}

func (f *formatter) standardInput() error {
	if f.write {
		return misused("-w cannot write standard input")
	}
	src, err := io.ReadAll(f.stdin)
	if err != nil {
		return failed(err)
	}
	return f.source("-", src, nil)
}

// path formats a file or all .agg files of a directory; names that begin with a dot are passed
// over there, as everywhere.
func (f *formatter) path(p string) error {
	info, err := os.Stat(p)
	switch {
	case err != nil:
		return failed(err)
	case !info.IsDir():
		return f.file(p)
	}
	return fs.WalkDir(os.DirFS(p), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return failed(err)
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || path.Ext(name) != ".agg":
			return nil
		}
		return f.file(filepath.Join(p, filepath.FromSlash(name)))
	})
}

func (f *formatter) file(name string) error {
	src, err := os.ReadFile(name)
	if err != nil {
		return failed(err)
	}
	return f.source(filepath.ToSlash(name), src, func(out []byte) error { return replaceFile(name, out) })
}

func (f *formatter) source(name string, src []byte, write func([]byte) error) error {
	out, bag := format.Source(diag.NewFile(name, src))
	if out == nil && bag.Errors() > 0 {
		f.broken = true
		return failed(diag.Write(f.stderr, diag.Pretty, bag.Sorted(), diag.Options{Color: colored(f.stderr)}))
	}
	same := bytes.Equal(src, out)
	if !same {
		f.differ++
	}
	if f.list && !same {
		if _, err := fmt.Fprintln(f.stdout, name); err != nil {
			return failed(err)
		}
	}
	if f.diff && !same {
		if _, err := f.stdout.Write(diff.Diff(name+".orig", src, name, out)); err != nil {
			return failed(err)
		}
	}
	if f.write && !same {
		return failed(write(out))
	}
	if f.list || f.diff || f.write {
		return nil
	}
	_, err := f.stdout.Write(out)
	return failed(err)
}
