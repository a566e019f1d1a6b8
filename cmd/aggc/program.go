package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
)

// builtExt is the ending of an encoded program.
const builtExt = ".aggb"

// readPrograms gives the programs of a source, or the one of a built file. What is wrong with a
// source goes to stderr.
func readPrograms(path string, stderr io.Writer) ([]*bytecode.Program, error) {
	if p, err := readBuilt(path); p != nil || err != nil {
		return []*bytecode.Program{p}, err
	}
	r, err := compiled(path, stderr)
	if err != nil {
		return nil, err
	}
	var out []*bytecode.Program
	for _, p := range r.Programs {
		out = append(out, p.Program)
	}
	return out, nil
}

// readBuilt reads an encoded program; nil when path is something else.
func readBuilt(path string) (*bytecode.Program, error) {
	if filepath.Ext(path) == ".agg" {
		return nil, nil
	}
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return nil, failed(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, failed(err)
	}
	if filepath.Ext(path) != builtExt && !bytes.HasPrefix(b, []byte("AGGB")) {
		return nil, nil
	}
	p, err := bytecode.Decode(b)
	if err != nil {
		return nil, &exitError{exitFound, errors.Join(errors.New(path), err)}
	}
	return p, nil
}

// pick finds the program of a type; without a type there must be just one.
func pick(list []*bytecode.Program, typ string) (*bytecode.Program, error) {
	names := make([]string, len(list))
	for i, p := range list {
		if p.Name == typ || typ == "" && len(list) == 1 {
			return p, nil
		}
		names[i] = p.Name
	}
	switch {
	case len(list) == 0:
		return nil, misused("no aggregate is declared there")
	case typ == "":
		return nil, misused("say which aggregate, --type %s", strings.Join(names, " or "))
	}
	return nil, misused("there is no aggregate %s: there is %s", typ, strings.Join(names, ", "))
}
