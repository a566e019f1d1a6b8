package lsp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// correct are the sets of the tree that compile: the examples and what the rulings accept.
func correct(t *testing.T) map[string][]dsl.Source {
	t.Helper()
	sets := map[string][]dsl.Source{}
	root := filepath.Join("..", "..")
	for _, name := range []string{"bank", "order"} {
		sets[name] = dsl.ReadDir(os.DirFS(filepath.Join(root, "examples", name))).Sources
	}
	archives, err := filepath.Glob(filepath.Join(root, "dsl", "testdata", "conformance", "*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("got %d archives, %v", len(archives), err)
	}
	for _, p := range archives {
		ar, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if set, _, _ := strings.Cut(f.Name, "/"); strings.HasPrefix(set, "ok") {
				key := filepath.Base(p) + "/" + set
				sets[key] = append(sets[key], dsl.Source{Path: f.Name, Text: f.Data})
			}
		}
	}
	return sets
}

// TestEveryNameHasAUse looks at all names in correct manifests: the checker must have said what
// each means, or hover, definition and rename would miss it. What remains is what the language
// gives a meaning by its place.
func TestEveryNameHasAUse(t *testing.T) {
	for name, sources := range correct(t) {
		t.Run(name, func(t *testing.T) {
			u := &check.Uses{}
			r := dsl.Compile(sources, dsl.Options{Uses: u})
			plain := dsl.Compile(sources, dsl.Options{})
			if len(r.Diagnostics) != len(plain.Diagnostics) {
				t.Errorf("to ask for uses changes the findings: %d, not %d", len(r.Diagnostics), len(plain.Diagnostics))
			}
			if !r.OK {
				t.Skip("it is a text with errors")
			}
			at := map[string]map[int]bool{}
			for _, x := range u.List {
				f := x.At.File.Name
				if at[f] == nil {
					at[f] = map[int]bool{}
				}
				if at[f][int(x.At.Start)] {
					t.Errorf("%s: there are two uses at one place", where(x.At))
				}
				at[f][int(x.At.Start)] = true
			}
			for _, f := range r.Files {
				for _, span := range nameless(f.Source, at[f.Source.Name]) {
					t.Errorf("%s: nothing is known of %q", where(span), span.Text())
				}
			}
		})
	}
}

// placed are the words that mean something by their place alone.
var placed = map[string]bool{
	"desc": true, "_": true, "roles": true, "meta": true, "tenant": true, "aggregate_id": true, "command_id": true,
	"overflow": true, "inexact": true, "division_by_zero": true, "absent_key": true, "range": true, "not_whole": true, "bound": true, "memory": true,
	"half_even": true, "half_up": true, "half_down": true, "down": true, "up": true, "floor": true, "ceiling": true,
	"not_found": true, "already_exists": true, "forbidden": true, "finished": true, "invariant_violated": true, "validation_error": true,
}

// nameless are the names of a text that have no use.
func nameless(f *diag.File, uses map[int]bool) []diag.Span {
	var out []diag.Span
	text := string(f.Src)
	w := &tokenWriter{f: f, l: newLines(f.Src, true), text: text}
	for i := 0; i < len(text); {
		next := w.step(i)
		if c := text[i]; isWordByte(c) && (c < '0' || c > '9') {
			word := text[i:next]
			if !uses[i] && !isKeyword(word) && !scalarWords[word] && !placed[word] {
				out = append(out, diag.Span{File: f, Start: int32(i), End: int32(next)})
			}
		}
		i = next
	}
	return out
}
