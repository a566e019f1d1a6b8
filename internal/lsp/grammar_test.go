package lsp

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

var vscode = filepath.Join("..", "..", "editors", "vscode")

// TestGrammarKnowsTheWords compares the words and builtins of the language with the TextMate
// grammar, which cannot import them.
func TestGrammarKnowsTheWords(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(vscode, "syntaxes", "agg.tmLanguage.json"))
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, w := range regexp.MustCompile(`[a-z_]+`).FindAllString(string(text), -1) {
		have[w] = true
	}
	words := slices.Concat(topWords, memberWords, stepWords, thenWords, builtins(t))
	for _, list := range statementWords {
		words = append(words, list...)
	}
	for _, w := range append(words, "and", "or", "not", "implies", "in", "is", "some", "none", "true", "false", "if", "then", "else", "for", "where") {
		if !have[w] && !have["b"+w] { // \bword is read as bword
			t.Errorf("the grammar does not know %q", w)
		}
	}
}

// builtins are the names that the checker offers as such.
func builtins(t *testing.T) []string {
	u := &check.Uses{Probe: probe}
	tree := parser.ParseFile(diag.NewFile("a.agg", []byte("const x: int = "+probe)), &diag.Bag{})
	check.Files([]*ast.File{tree}, check.Options{Uses: u}, &diag.Bag{})
	var out []string
	for _, o := range u.Offers {
		if o.Kind == check.OfferBuiltin {
			out = append(out, o.Name)
		}
	}
	if len(out) < 40 {
		t.Fatalf("the checker offers %d builtins only", len(out))
	}
	return out
}

// TestGrammarTokenizes runs the test of the extension with the engine of VS Code. It needs node
// and the network, so it runs only with AGG_TEST_ALL=1 (make test-all).
func TestGrammarTokenizes(t *testing.T) {
	if os.Getenv("AGG_TEST_ALL") != "1" {
		t.Skip("needs node: set AGG_TEST_ALL=1")
	}
	dir := t.TempDir() // node_modules are no part of the tree
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	copyTo := filepath.Join(dir, "editors", "vscode")
	if err := os.MkdirAll(copyTo, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "package-lock.json", "extension.js", "syntaxes", "test"} {
		copyTree(t, filepath.Join(root, "editors", "vscode", name), filepath.Join(copyTo, name))
	}
	copyTree(t, filepath.Join(root, "examples"), filepath.Join(dir, "examples"))
	for _, args := range [][]string{{"ci", "--no-audit", "--no-fund", "--ignore-scripts"}, {"test"}} {
		cmd := exec.Command("npm", args...)
		cmd.Dir = copyTo
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("npm %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
