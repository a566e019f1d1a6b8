package testrun

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The JSON form.
type (
	jsonReport struct {
		Passed int        `json:"passed"`
		Failed int        `json:"failed"`
		Tests  []jsonTest `json:"tests"`
	}
	jsonTest struct {
		Aggregate string        `json:"aggregate"`
		Name      string        `json:"name"`
		Title     string        `json:"title"`
		Row       int           `json:"row,omitempty"`
		Status    string        `json:"status"`
		File      string        `json:"file"`
		Line      int           `json:"line"`
		Column    int           `json:"column"`
		Gas       int64         `json:"gas"`
		Failures  []jsonFailure `json:"failures"`
	}
	jsonFailure struct {
		File   string      `json:"file"`
		Line   int         `json:"line"`
		Column int         `json:"column"`
		Step   string      `json:"step"`
		Round  string      `json:"round,omitempty"`
		Want   string      `json:"want,omitempty"`
		Got    string      `json:"got,omitempty"`
		Diffs  []jsonDiff  `json:"diffs,omitempty"`
		Cond   string      `json:"condition,omitempty"`
		Shown  []jsonShown `json:"values,omitempty"`
		Fault  *jsonFault  `json:"fault,omitempty"`
	}
	// Want and Got are JSON texts, or "_", or "absent".
	jsonDiff struct {
		Path string `json:"path"`
		Want string `json:"want"`
		Got  string `json:"got"`
	}
	jsonShown struct {
		Text  string `json:"text"`
		Value string `json:"value"`
	}
	jsonFault struct {
		Kind string `json:"kind"`
		Rule string `json:"rule"`
		File string `json:"file"`
		Line int    `json:"line"`
	}
)

func (r *Report) writeJSON(w io.Writer) error {
	failed := r.Failed()
	out := jsonReport{Passed: len(r.Results) - failed, Failed: failed, Tests: []jsonTest{}}
	for i := range r.Results {
		t := &r.Results[i]
		j := jsonTest{
			Aggregate: t.Aggregate, Name: t.Name, Title: t.Title, Row: t.Row, Status: "pass",
			File: t.Place.File, Line: t.Place.Line, Column: t.Place.Column, Gas: t.Gas, Failures: []jsonFailure{},
		}
		if !t.Passed() {
			j.Status = "fail"
		}
		for k := range t.Failures {
			j.Failures = append(j.Failures, t.Failures[k].json())
		}
		out.Tests = append(out.Tests, j)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func (f *Failure) json() jsonFailure {
	j := jsonFailure{
		File: f.Place.File, Line: f.Place.Line, Column: f.Place.Column,
		Step: f.Step, Round: f.Round, Want: f.Want, Got: f.Got, Cond: f.Cond,
	}
	for _, d := range f.Diffs {
		j.Diffs = append(j.Diffs, jsonDiff(d))
	}
	for _, s := range f.Shown {
		j.Shown = append(j.Shown, jsonShown(s))
	}
	if f.Fault != nil {
		j.Fault = &jsonFault{f.Fault.Kind, f.Fault.Rule, f.Fault.Place.File, f.Fault.Place.Line}
	}
	return j
}

// The JUnit form: one suite for each aggregate.
type (
	junitSuites struct {
		XMLName  xml.Name      `xml:"testsuites"`
		Tests    int           `xml:"tests,attr"`
		Failures int           `xml:"failures,attr"`
		Time     string        `xml:"time,attr,omitempty"`
		Suites   []*junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func (r *Report) writeJUnit(w io.Writer) error {
	out := junitSuites{Tests: len(r.Results), Failures: r.Failed()}
	if r.Elapsed > 0 {
		out.Time = strconv.FormatFloat(r.Elapsed.Seconds(), 'f', 3, 64)
	}
	byName := map[string]*junitSuite{}
	for i := range r.Results {
		t := &r.Results[i]
		s := byName[t.Aggregate]
		if s == nil {
			s = &junitSuite{Name: t.Aggregate}
			byName[t.Aggregate] = s
			out.Suites = append(out.Suites, s)
		}
		s.Tests++
		c := junitCase{Class: t.Aggregate, Name: t.Title, File: t.Place.File, Line: t.Place.Line}
		if !t.Passed() {
			s.Failures++
			c.Failure = &junitFailure{t.Failures[0].summary(), t.text()}
		}
		s.Cases = append(s.Cases, c)
	}
	b, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, b)
	return err
}

// summary is a failure in one line.
func (f *Failure) summary() string {
	switch {
	case f.Want != "":
		return fmt.Sprintf("want %s, got %s", f.Want, f.Got)
	case len(f.Diffs) > 0:
		d := f.Diffs[0]
		return fmt.Sprintf("%s: want %s, got %s", d.Path, d.Want, d.Got)
	}
	return f.Cond + " does not hold"
}

// text are all failures of a test as people read them.
func (t *Result) text() string {
	var b strings.Builder
	for i := range t.Failures {
		t.Failures[i].write(&b)
	}
	return b.String()
}

func (r *Report) writeTAP(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "TAP version 14\n1..%d\n", len(r.Results))
	for i := range r.Results {
		t := &r.Results[i]
		status := "ok"
		if !t.Passed() {
			status = "not ok"
		}
		fmt.Fprintf(&b, "%s %d - %s\n", status, i+1, tapEscape.Replace(clean(t.Aggregate+": "+t.Title)))
		if t.Passed() {
			continue
		}
		f := &t.Failures[0]
		fmt.Fprintf(&b, "  ---\n  message: %s\n  at:\n    file: %s\n    line: %d\n    column: %d\n  details: |\n",
			yamlText(f.summary()), yamlText(f.Place.File), f.Place.Line, f.Place.Column)
		for line := range strings.Lines(t.text()) {
			b.WriteString("    " + line)
		}
		b.WriteString("  ...\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// tapEscape keeps a title from being read as a directive.
var tapEscape = strings.NewReplacer(`\`, `\\`, `#`, `\#`)

// yamlText is a text as a double-quoted YAML scalar, of which JSON strings are a part.
func yamlText(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
