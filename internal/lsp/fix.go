package lsp

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// maxRounds ends what should end by itself: a fix may lay bare the next.
const maxRounds = 100

// Applied is one fix that [Fix] made.
type Applied struct {
	Diagnostic *diag.Diagnostic
	Title      string
}

// Fix applies the safe fixes of all findings in the sources, those that do not overlap at
// once, again and again until there are none: a mended line may be the first to be understood. It
// gives the sources as they are then, and what it did.
func Fix(sources []dsl.Source) ([]dsl.Source, []Applied) {
	var done []Applied
	seen := map[string]bool{}
	for range maxRounds {
		edits := chooseEdits(dsl.Compile(sources, dsl.Options{}).Diagnostics, inSource, func(d *diag.Diagnostic, f diag.Fix) {
			done = append(done, Applied{d, f.Title})
		})
		if len(edits) == 0 {
			break
		}
		sources = applyEdits(sources, edits)
		h := texts(sources)
		if seen[h] {
			break // two fixes undo each other
		}
		seen[h] = true
	}
	return sources, done
}

func inSource(d *diag.Diagnostic) bool { return d.Span.File != nil }

// texts identifies the sources, tests too.
func texts(sources []dsl.Source) string {
	h := sha256.New()
	for _, s := range sources {
		fmt.Fprintf(h, "%d ", len(s.Text))
		h.Write(s.Text)
	}
	return string(h.Sum(nil))
}

// safeEdits are the edits of the safe fixes that can be made at once.
func safeEdits(list []*diag.Diagnostic, want func(*diag.Diagnostic) bool) []diag.Edit {
	return chooseEdits(list, want, func(*diag.Diagnostic, diag.Fix) {})
}

// chooseEdits takes for each wanted finding its first safe fix, whole or not at all, if none of
// its edits touches one that is taken already; took hears of each.
func chooseEdits(list []*diag.Diagnostic, want func(*diag.Diagnostic) bool, took func(*diag.Diagnostic, diag.Fix)) []diag.Edit {
	var out []diag.Edit
	for _, d := range list {
		if !want(d) {
			continue
		}
		i := slices.IndexFunc(d.Fixes, func(f diag.Fix) bool { return f.Safe && len(f.Edits) > 0 })
		if i < 0 || touches(out, d.Fixes[i].Edits) {
			continue
		}
		out = append(out, d.Fixes[i].Edits...)
		took(d, d.Fixes[i])
	}
	return out
}

// touches tells whether an edit overlaps or meets one of taken: two that insert at one place
// have no order.
func touches(taken, edits []diag.Edit) bool {
	for _, e := range edits {
		for _, t := range taken {
			if e.Span.File == t.Span.File && e.Span.Start <= t.Span.End && t.Span.Start <= e.Span.End {
				return true
			}
		}
	}
	return false
}
