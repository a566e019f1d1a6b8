package check

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// nearest is the candidate that name was most likely meant to be, or "": at most a third of its
// letters differ, and among equally near ones the first in the order of candidates wins.
func nearest(name string, candidates []string) string {
	best, bestDist := "", len(name)/3+1
	for _, c := range candidates {
		if c == name || c == "" {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(c), bestDist); d < bestDist {
			best, bestDist = c, d
		}
	}
	return best
}

// distance is the number of letters to insert, drop, change or swap with their neighbour; past
// limit it is limit+1.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return min(prev[len(b)], limit+1)
}

// didYouMean adds the nearest candidate to d as its hint and as a mend of span, and tells
// whether there was one.
func didYouMean(d *diag.Diagnostic, span diag.Span, name string, candidates []string) bool {
	near := nearest(name, candidates)
	if near == "" {
		return false
	}
	d.Hint = `did you mean "` + near + `"?`
	replace(d, false, span, near, `change to "`+near+`"`)
	return true
}
