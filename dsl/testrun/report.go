package testrun

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Report is what became of the tests.
type Report struct {
	// Results are in the order of files and text, rows of a test in order.
	Results []Result
	// Elapsed is how long the run took; renderings leave it out when it is zero.
	Elapsed time.Duration
}

// Failed counts the results that failed.
func (r *Report) Failed() int {
	n := 0
	for i := range r.Results {
		if !r.Results[i].Passed() {
			n++
		}
	}
	return n
}

// Result is one test, or one row of a test with `cases`.
type Result struct {
	Aggregate string
	Name      string // as written
	Title     string // for people: columns filled in, and the row as [3]
	Row       int    // from 1; 0 without `cases`
	Place     Place
	Gas       int64 // of all commands of the test
	Failures  []Failure
}

// Passed tells whether nothing failed.
func (r *Result) Passed() bool { return len(r.Failures) == 0 }

// Place is a place in a source file, from 1.
type Place struct {
	File         string
	Line, Column int
}

func (p Place) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Failure is one step that did not come out as written. Which of the fields are in use depends
// on the step; values are in their JSON form.
type Failure struct {
	Place Place
	Step  string // the source of the step, on one line
	Round string // "round 3 of 45", under `repeat`
	// Want and Got are outcomes in words, such as `reject not_open`; empty when Diffs or Shown
	// tell all.
	Want, Got string
	Diffs     []Diff  // of an event: the fields that differ
	Cond      string  // of a condition: its source, on one line
	Shown     []Shown // and the values of its operands
	Fault     *Fault  // the fault behind Got
}

// Diff is one field that differs.
type Diff struct {
	Path      string
	Want, Got string
}

// Shown is an operand of a condition and its value.
type Shown struct {
	Text  string
	Value string
}

// Fault is a fault and the rule and place where it arose.
type Fault struct {
	Kind  string
	Rule  string
	Place Place
}

func (f *Fault) String() string { return fmt.Sprintf("fault %s in %s at %s", f.Kind, f.Rule, f.Place) }

// Format is a way to write a report.
type Format uint8

// The formats.
const (
	Pretty Format = iota // for people
	JSON                 // one object
	JUnit                // XML, for CI servers
	TAP                  // TAP version 14
)

var formatNames = [...]string{Pretty: "pretty", JSON: "json", JUnit: "junit", TAP: "tap"}

func (f Format) String() string { return formatNames[f] }

// ParseFormat reads the name of a format.
func ParseFormat(name string) (Format, error) {
	for f, n := range formatNames {
		if n == name {
			return Format(f), nil
		}
	}
	return Pretty, fmt.Errorf("unknown format %q: one of %s", name, strings.Join(formatNames[:], ", "))
}

// WriteOptions of Write.
type WriteOptions struct {
	Color   bool // escape sequences in Pretty
	Verbose bool // passed tests too, in Pretty
}

// Write writes the report.
func (r *Report) Write(w io.Writer, f Format, o WriteOptions) error {
	switch f {
	case JSON:
		return r.writeJSON(w)
	case JUnit:
		return r.writeJUnit(w)
	case TAP:
		return r.writeTAP(w)
	}
	return r.writePretty(w, o)
}
