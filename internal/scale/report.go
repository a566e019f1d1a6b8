package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row is one line of a table.
type row struct{ What, Figure, Note string }

// report takes the rows of a part.
type report struct{ w io.Writer }

func (r *report) add(what, figure, note string, args ...any) {
	_ = json.NewEncoder(r.w).Encode(row{what, figure, fmt.Sprintf(note, args...)})
}

func writeHead(w io.Writer, o *options) {
	fmt.Fprintf(w, `# A million aggregates

Figures of %s (%s, internal/scale), the last section by hand; those of the rules are in performance.md.

Machine: %s; shared with other work while it measured, so times are medians of several where that can be, and
a figure of time is good to a factor rather than to a percent. Memory does not depend on others. MB are 2^20 bytes.
`, "`make bench-scale`", time.Now().UTC().Format(time.DateOnly), machine())
}

func writeTable(w io.Writer, title string, rows []row) {
	fmt.Fprintf(w, "\n## %s\n\n| what | figure | how |\n|---|---|---|\n", title)
	for _, r := range rows {
		fmt.Fprintf(w, "| %s | %s | %s |\n", r.What, r.Figure, r.Note)
	}
}

func machine() string {
	model := "unknown processor"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			model = strings.Trim(name, "\t :\n")
			break
		}
	}
	return fmt.Sprintf("%d virtual %s, %s, %s/%s", runtime.NumCPU(), model, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func megabytes(n int64) string { return fmt.Sprintf("%d MB", n>>20) }

// median puts times in order; none gives 0.
func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[len(d)/2]
}

// show writes a time with three digits.
func show(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.2f ms", d.Seconds()*1e3)
}

func medianOf(d []time.Duration) string {
	m := median(d)
	if len(d) < 2 {
		return show(m)
	}
	return fmt.Sprintf("%s (%s–%s)", show(m), show(d[0]), show(d[len(d)-1]))
}

// progress tells on stderr how far something has come, every few seconds.
type progress struct {
	what  string
	total int
	begun time.Time
	said  time.Time
}

func newProgress(what string, total int) *progress {
	return &progress{what: what, total: total, begun: time.Now(), said: time.Now()}
}

func (p *progress) at(done int) {
	if now := time.Now(); now.Sub(p.said) >= 3*time.Second || done == p.total {
		p.said = now
		fmt.Fprintf(os.Stderr, "  %s: %d of %d (%.0f/s)\n", p.what, done, p.total, float64(done)/now.Sub(p.begun).Seconds())
	}
}
