package main

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/format"
)

//go:embed scaffold
var scaffold embed.FS

var scaffoldFiles = []string{"name.agg", "name_test.agg", "README.md"}

func initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init NAME",
		Short: "Begin a new aggregate: a manifest, its tests, a README",
		Long: "Write NAME/NAME.agg, NAME/NAME_test.agg and NAME/README.md: a small aggregate that passes check and\n" +
			"test, to be changed into yours. NAME is as in gift_card or GiftCard. Nothing that exists is changed.",
		Example: "  aggc init gift_card\n  aggc test --watch gift_card",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return begin(args[0], c.OutOrStdout())
		},
	}
}

var (
	aggregateName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*$`)
	hump          = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

// begin writes the scaffold. All files are new or none is written.
func begin(name string, stdout io.Writer) error {
	if !aggregateName.MatchString(name) {
		return misused("%q is no name of an aggregate: letters, digits and _, such as gift_card", name)
	}
	file := strings.ToLower(hump.ReplaceAllString(name, "${1}_${2}"))
	for _, from := range scaffoldFiles {
		to := target(file, from)
		if _, err := os.Lstat(to); err == nil {
			return misused("%s exists already", filepath.ToSlash(to))
		} else if !errors.Is(err, fs.ErrNotExist) {
			return failed(err)
		}
	}
	texts, err := scaffolded(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(file, 0o755); err != nil {
		return failed(err)
	}
	for i, from := range scaffoldFiles {
		to := target(file, from)
		if err := replaceFile(to, texts[i]); err != nil {
			return failed(err)
		}
		if _, err := fmt.Fprintln(stdout, filepath.ToSlash(to)); err != nil {
			return failed(err)
		}
	}
	return nil
}

// scaffolded are the texts of the files, the manifests in their form and free of errors.
func scaffolded(file string) ([][]byte, error) {
	words := strings.NewReplacer("NAME", typeName(file), "FILE", file)
	var texts [][]byte
	var sources []dsl.Source
	for _, from := range scaffoldFiles {
		text, err := scaffold.ReadFile("scaffold/" + from)
		if err != nil {
			return nil, failed(err)
		}
		text = []byte(words.Replace(string(text)))
		if path.Ext(from) == ".agg" {
			if formatted, bag := format.Source(diag.NewFile(from, text)); bag.Errors() == 0 {
				text = formatted
			}
			sources = append(sources, dsl.Source{Path: from, Text: text})
		}
		texts = append(texts, text)
	}
	r := dsl.Compile(sources, dsl.Options{Tests: true})
	for _, d := range r.Diagnostics {
		if d.Severity == diag.Error {
			return nil, misused("an aggregate cannot be called %s here: %s", typeName(file), d.Message)
		}
	}
	return texts, nil
}

// target is where a file of the scaffold goes.
func target(file, from string) string {
	return filepath.Join(file, strings.Replace(from, "name", file, 1))
}

// typeName is gift_card as GiftCard.
func typeName(file string) string {
	var b strings.Builder
	for _, part := range strings.Split(file, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
