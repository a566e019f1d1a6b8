package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"
)

const (
	document = "../../docs/aggc.md"
	verbs    = "## The verbs\n"
)

// TestDocument: the verbs in docs/aggc.md are those that aggc has.
func TestDocument(t *testing.T) {
	old, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := bytes.Cut(old, []byte(verbs))
	if !ok {
		t.Fatalf("%s has no heading %q", document, strings.TrimSpace(verbs))
	}
	var b bytes.Buffer
	b.Write(head)
	b.WriteString(verbs)
	for _, c := range rootCommand().Commands() {
		if c.IsAvailableCommand() {
			describe(&b, c)
		}
	}
	if *update {
		if err := os.WriteFile(document, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := diff.Diff(document, old, "aggc", b.Bytes()); d != nil {
		t.Errorf("run go test ./cmd/aggc -run TestDocument -update\n%s", d)
	}
}

func describe(b *bytes.Buffer, c *cobra.Command) {
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	c.InitDefaultHelpFlag()
	fmt.Fprintf(b, "\n### %s\n\n```\n%s\n\nUsage:\n  %s\n\nExamples:\n%s\n\nFlags:\n%s```\n",
		c.CommandPath(), text, c.UseLine(), c.Example, c.Flags().FlagUsages())
}

// TestEveryVerbIsDocumented: help with an example, in the words that usage shows.
func TestEveryVerbIsDocumented(t *testing.T) {
	for _, c := range rootCommand().Commands() {
		t.Run(c.Name(), func(t *testing.T) {
			if c.Short == "" || !strings.Contains(c.Example, "aggc "+c.Name()) {
				t.Errorf("got short %q and example %q", c.Short, c.Example)
			}
		})
	}
}

// fullDisk is a stream that cannot be written.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestOutputFails: what cannot be written is no success, whatever the verb.
func TestOutputFails(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "a.agg")
	text := "aggregate A {\n  state { n: int = 0 }\n  command c {}\n  event e {}\n  decide c { emit e {} }\n  apply e { state.n += 1 }\n}\n"
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(dir, "c.json")
	if err := os.WriteFile(command, []byte(`{"type":"c"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := [][]string{
		{"check", "--format", "json", source},
		{"test", source},
		{"test", "--cover", source},
		{"test", "--init", source},
		{"fmt", source},
		{"fmt", "-l", source},
		{"build", source, "-o", filepath.Join(dir, "out")},
		{"disasm", source},
		{"decide", source, "--command", command},
		{"explain", "AGG2003"},
		{"explain"},
		{"version"},
	}
	for _, args := range tests {
		t.Run(strings.Join(args[:1], " "), func(t *testing.T) {
			var stderr bytes.Buffer
			if got := run(args, strings.NewReader(""), fullDisk{}, &stderr); got != exitEnvError {
				t.Errorf("got exit code %d, want %d: %s", got, exitEnvError, stderr.String())
			}
		})
	}
}

// TestColour: only a terminal gets escape sequences, and a file is none.
func TestColour(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if colored(f) || colored(&bytes.Buffer{}) {
		t.Error("got colour for a file or a buffer")
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminal here:", err)
	}
	defer terminal.Close()
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	if !colored(terminal) {
		t.Error("got no colour for a terminal")
	}
	t.Setenv("NO_COLOR", "1")
	if colored(terminal) {
		t.Error("got colour in spite of NO_COLOR")
	}
}

// TestReplaceFile: the permissions stay, a link stays a link, and nothing is left beside.
func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	name, link := filepath.Join(dir, "a.agg"), filepath.Join(dir, "link.agg")
	if err := os.WriteFile(name, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	info, errStat := os.Stat(name)
	at, errLink := os.Lstat(link)
	if err := errors.Join(err, errStat, errLink); err != nil {
		t.Fatal(err)
	}
	if string(got) != "new" || info.Mode().Perm() != 0o640 || at.Mode()&os.ModeSymlink == 0 {
		t.Errorf("got %q, %v, %v, want new, 0640 and a link", got, info.Mode(), at.Mode())
	}
	if list, _ := os.ReadDir(dir); len(list) != 2 {
		t.Errorf("got %d files, want 2", len(list))
	}
}
