package report

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

const reportsPage = "../../docs/reports.md"

// sampleBlock is a sample of docs/reports.md: a comment that names a report, and a block.
var sampleBlock = regexp.MustCompile("(?s)<!-- sample (\\S+)(?: from \"([^\"]*)\" to \"([^\"]*)\")? -->\n```(\\w+)\n(.*?)```\n")

// TestSamplesOfDocs makes the samples of docs/reports.md of the manifest that stands there.
func TestSamplesOfDocs(t *testing.T) {
	page, err := os.ReadFile(reportsPage)
	if err != nil {
		t.Fatal(err)
	}
	blocks := sampleBlock.FindAllSubmatch(page, -1)
	if len(blocks) < 4 || string(blocks[0][1]) != "in.agg" {
		t.Fatalf("%s has %d samples", reportsPage, len(blocks))
	}
	src := blocks[0][5]
	got := sampleBlock.ReplaceAllFunc(page, func(b []byte) []byte {
		m := sampleBlock.FindSubmatch(b)
		if string(m[1]) == "in.agg" {
			return b
		}
		var out bytes.Buffer
		if err := produce(&out, load(t, "in", src), string(m[1])); err != nil {
			t.Fatal(err)
		}
		text := part(out.String(), string(m[2]), string(m[3]))
		head, _, _ := bytes.Cut(b, []byte("\n"))
		return []byte(string(head) + "\n```" + string(m[4]) + "\n" + text + "```\n")
	})
	if *update {
		if err := os.WriteFile(reportsPage, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, page) {
		t.Errorf("%s has stale samples: run with -update", reportsPage)
	}
}

// part is text from the line that holds from up to the one that holds to.
func part(text, from, to string) string {
	if from == "" {
		return text
	}
	lines := strings.SplitAfter(text, "\n")
	var out strings.Builder
	inside := false
	for _, l := range lines {
		inside = inside || strings.Contains(l, from)
		if inside && strings.Contains(l, to) {
			break
		}
		if inside {
			out.WriteString(l)
		}
	}
	return out.String()
}
