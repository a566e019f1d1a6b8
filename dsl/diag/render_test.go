package diag_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// findings are one of each kind: with everything, without a place, in a line with tabs and
// characters that a terminal must not see, over the line's end, in a very long line.
func findings() []*diag.Diagnostic {
	src := "aggregate Account {\n  state { balance: int }\n  invariant a: state.balnce >= 0\n\tx é\x1b[31m y\n" +
		strings.Repeat("é", 500) + "z\n"
	f := diag.NewFile("bank/account, v1.agg", []byte(src))
	at := func(text string) diag.Span {
		i := int32(strings.Index(src, text))
		return diag.Span{File: f, Start: i, End: i + int32(len(text))}
	}
	return []*diag.Diagnostic{
		{
			Code: "AGG1005", Severity: diag.Error, Span: at("balnce"), Message: "unknown field \"balnce\" in state Account",
			Label: "here", Hint: "did you mean \"balance\"?",
			Related: []diag.Related{{Span: at("balance"), Message: "declared here"}, {Message: "and nowhere else"}},
			Fixes:   []diag.Fix{{Title: "write balance", Safe: true, Edits: []diag.Edit{{Span: at("balnce"), New: "balance"}}}},
		},
		{Code: "AGG5001", Severity: diag.Warning, Message: "100% sure\nof it"},
		{Code: "AGG1001", Severity: diag.Note, Span: at("y\n"), Message: "odd"},
		{Code: "AGG1001", Severity: diag.Error, Span: at("z"), Message: "far \x1b[0m out"},
	}
}

func write(t *testing.T, f diag.Format, list []*diag.Diagnostic, o diag.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := diag.Write(&b, f, list, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPretty(t *testing.T) {
	want := `bank/account, v1.agg:3:22: error[AGG1005]: unknown field "balnce" in state Account
 3 |   invariant a: state.balnce >= 0
   |                      ^^^^^^ here
  hint: did you mean "balance"?
  note: bank/account, v1.agg:2:11: declared here
  note: and nowhere else
warning[AGG5001]: 100% sure` + "\ufffd" + `of it
bank/account, v1.agg:4:11: note[AGG1001]: odd
 4 | ` + "\tx é\ufffd[31m y" + `
   | ` + "\t" + `         ^
bank/account, v1.agg:5:501: error[AGG1001]: far ` + "\ufffd" + `[0m out
 5 | ` + strings.Repeat("é", 80) + `z
   | ` + strings.Repeat(" ", 80) + `^
`
	if got := write(t, diag.Pretty, findings(), diag.Options{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestColorIsOnlyThatOfTheWriter(t *testing.T) {
	got := write(t, diag.Short, findings()[3:], diag.Options{Color: true})
	want := "\x1b[1mbank/account, v1.agg:5:501:\x1b[0m \x1b[1m\x1b[31merror[AGG1001]:\x1b[0m far \ufffd[0m out\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestShort(t *testing.T) {
	want := "bank/account, v1.agg:3:22: error[AGG1005]: unknown field \"balnce\" in state Account"
	if got := findings()[0].String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := write(t, diag.Short, findings(), diag.Options{}); strings.Count(got, "\n") != 4 {
		t.Errorf("got %q, want four lines", got)
	}
}

func TestGitHub(t *testing.T) {
	want := `::error file=bank/account%2C v1.agg,line=3,col=22,endLine=3,endColumn=28,title=AGG1005::unknown field "balnce" in state Account%0Ahint: did you mean "balance"?
::warning title=AGG5001::100%25 sure%0Aof it
::notice file=bank/account%2C v1.agg,line=4,col=11,endLine=5,endColumn=1,title=AGG1001::odd
`
	if got := write(t, diag.GitHub, findings()[:3], diag.Options{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestJSON(t *testing.T) {
	want := `[
  {
    "code": "AGG1005",
    "severity": "error",
    "message": "unknown field \"balnce\" in state Account",
    "label": "here",
    "hint": "did you mean \"balance\"?",
    "file": "bank/account, v1.agg",
    "line": 3,
    "column": 22,
    "end_line": 3,
    "end_column": 28,
    "related": [
      {
        "message": "declared here",
        "file": "bank/account, v1.agg",
        "line": 2,
        "column": 11,
        "end_line": 2,
        "end_column": 18
      },
      {
        "message": "and nowhere else",
        "file": "",
        "line": 0,
        "column": 0,
        "end_line": 0,
        "end_column": 0
      }
    ],
    "fixes": [
      {
        "title": "write balance",
        "safe": true,
        "edits": [
          {
            "file": "bank/account, v1.agg",
            "line": 3,
            "column": 22,
            "end_line": 3,
            "end_column": 28,
            "new": "balance"
          }
        ]
      }
    ]
  }
]
`
	if got := write(t, diag.JSON, findings()[:1], diag.Options{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := write(t, diag.JSON, nil, diag.Options{}); got != "[]\n" {
		t.Errorf("no findings: got %q", got)
	}
}

func TestSARIF(t *testing.T) {
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct{ ID string }
				}
			}
			Results []struct {
				RuleID, Level string
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn, EndLine, EndColumn int }
					}
				}
				RelatedLocations []any
				Fixes            []struct {
					ArtifactChanges []struct{ Replacements []any }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(write(t, diag.SARIF, findings(), diag.Options{})), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || run.Tool.Driver.Name != "aggc" || len(run.Results) != 4 {
		t.Fatalf("got %+v", log)
	}
	if rules := run.Tool.Driver.Rules; len(rules) < 2 || rules[0].ID != "AGG1005" {
		t.Errorf("got rules %v, want each code once", rules)
	}
	first := run.Results[0]
	place := first.Locations[0].PhysicalLocation
	if place.ArtifactLocation.URI != "bank/account,%20v1.agg" || place.Region.StartLine != 3 || place.Region.EndColumn != 28 {
		t.Errorf("got the place %+v", place)
	}
	if first.RuleID != "AGG1005" || first.Level != "error" || len(first.RelatedLocations) != 1 || len(first.Fixes[0].ArtifactChanges[0].Replacements) != 1 {
		t.Errorf("got %+v", first)
	}
	if second := run.Results[1]; second.Level != "warning" || len(second.Locations) != 0 {
		t.Errorf("a finding without a place: got %+v", second)
	}
}

func TestParseFormat(t *testing.T) {
	for _, name := range []string{"pretty", "short", "json", "sarif", "github"} {
		f, err := diag.ParseFormat(name)
		if err != nil || f.String() != name {
			t.Errorf("%s: got %s, %v", name, f, err)
		}
	}
	if _, err := diag.ParseFormat("xml"); err == nil {
		t.Error("xml is a format")
	}
}

func TestBag(t *testing.T) {
	a, b := diag.NewFile("a", []byte("x\ny")), diag.NewFile("b", []byte("x"))
	var bag diag.Bag
	bag.Report(diag.BadNumber, diag.Span{File: b, Start: 0, End: 1}, "3")
	bag.Report("AGG5001", diag.Span{File: a, Start: 2, End: 3}, "2")
	bag.Report(diag.BadNumber, diag.Span{File: a, Start: 0, End: 1}, "1")
	bag.Report(diag.BadNumber, diag.Span{File: a, Start: 0, End: 1}, "again")
	var got []string
	for _, d := range bag.Sorted() {
		got = append(got, d.Message)
	}
	if strings.Join(got, " ") != "1 2 3" || bag.Errors() != 3 {
		t.Errorf("got %q and %d errors, want 1 2 3 and 3", got, bag.Errors())
	}
}

func TestPositions(t *testing.T) {
	f := diag.NewFile("a", []byte("é\r\n\nab"))
	for _, tt := range []struct{ off, line, column int }{{0, 1, 1}, {2, 1, 2}, {4, 2, 1}, {5, 3, 1}, {7, 3, 3}, {99, 3, 3}, {-1, 1, 1}} {
		if p := f.Position(int32(tt.off)); p.Line != tt.line || p.Column != tt.column {
			t.Errorf("offset %d: got %d:%d, want %d:%d", tt.off, p.Line, p.Column, tt.line, tt.column)
		}
	}
	if f.Line(1) != "é" || f.Line(2) != "" || f.Line(3) != "ab" || f.Line(4) != "" || f.Lines() != 3 {
		t.Error("the lines are wrong")
	}
}
