package check

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// nearest is the candidate that name was most likely meant to be, or "": at most a third of its
// letters differ, and among equally near ones the first in the order of candidates wins.
func nearest(name string, candidates []string) string {
	best, bestDist := "", len(name)/3+1
	lower := strings.ToLower(name)
	for _, c := range candidates {
		if c == name || c == "" || len(c)-len(name) >= bestDist || len(name)-len(c) >= bestDist {
			continue
		}
		if d := distance(lower, strings.ToLower(c), bestDist); d < bestDist {
			best, bestDist = c, d
		}
	}
	return best
}

// longest is the number of bytes up to which names are compared; longer ones are never near.
const longest = 64

// distance is the number of letters to insert, drop, change or swap with their neighbour; from
// limit on it is limit.
func distance(a, b string, limit int) int {
	if len(a) >= longest || len(b) >= longest {
		return limit
	}
	var rows [3][longest]int
	before, prev, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > limit { // a swap may still take one off
			return limit
		}
		before, prev, row = prev, row, before
	}
	return min(prev[len(b)], limit)
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
