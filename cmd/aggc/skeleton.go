package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/testrun"
)

// skeletons adds the tests that are missing behind those that are there.
func (f *testFlags) skeletons() error {
	sets, _, err := f.compiled()
	if err != nil {
		return err
	}
	n := 0
	for _, s := range sets {
		// Anew, for files under the names that they have in the set.
		list, err := testrun.Skeletons(s.files.Compile(dsl.Options{Tests: true}))
		if err != nil {
			return &exitError{exitFound, err}
		}
		for _, sk := range list {
			if err := f.addSkeleton(s, sk); err != nil {
				return err
			}
			n += sk.Tests
		}
	}
	if n == 0 {
		_, err = fmt.Fprintln(f.stdout, "every command and every rejection has a test")
	}
	return failed(err)
}

// addSkeleton appends to a file of tests, after it has seen that the set then still compiles.
func (f *testFlags) addSkeleton(s *set, sk testrun.Skeleton) error {
	name := filepath.FromSlash(s.shown(sk.Path))
	old, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(err)
	}
	text := sk.Text
	if trimmed := bytes.TrimRight(old, "\n"); len(trimmed) > 0 {
		text = slices.Concat(trimmed, []byte("\n\n"), sk.Text)
	}
	sources := slices.DeleteFunc(slices.Clone(s.files.Sources), func(src dsl.Source) bool { return src.Path == sk.Path })
	sources = append(sources, dsl.Source{Path: sk.Path, Text: text})
	if r := dsl.Compile(sources, dsl.Options{Tests: true}); !r.OK {
		if err := showErrors(r.Diagnostics, f.stderr); err != nil {
			return err
		}
		return &exitError{exitFound, fmt.Errorf("%s is left alone: the skeletons do not compile; please report this", name)}
	}
	if err := replaceFile(name, text); err != nil {
		return failed(err)
	}
	_, err = fmt.Fprintf(f.stdout, "%s: %s to fill in\n", filepath.ToSlash(name), plural(sk.Tests, "test"))
	return failed(err)
}
