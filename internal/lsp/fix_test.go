package lsp

import (
	"testing"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// TestSafeFixesMend makes the safe fixes of every documented example: what is fixed is gone, and
// nothing new is wrong in its stead.
func TestSafeFixesMend(t *testing.T) {
	mended := 0
	for _, info := range diag.Codes() {
		t.Run(string(info.Code), func(t *testing.T) {
			before := dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte(info.Example)}}, dsl.Options{})
			after, done := Fix([]dsl.Source{{Path: "a.agg", Text: []byte(info.Example)}})
			if len(done) == 0 {
				return
			}
			mended++
			r := dsl.Compile(after, dsl.Options{})
			if len(safeEdits(r.Diagnostics, inSource)) > 0 {
				t.Errorf("there are safe fixes left in\n%s", after[0].Text)
			}
			if d := newError(before.Diagnostics, r.Diagnostics); d != nil {
				t.Errorf("%s leads to %s in\n%s", done[0].Title, d, after[0].Text)
			}
			for _, d := range r.Diagnostics {
				if d.Code == done[len(done)-1].Diagnostic.Code {
					t.Errorf("%s leaves %s in\n%s", done[0].Title, d, after[0].Text)
				}
			}
			if len(before.Diagnostics) == 1 && !r.OK {
				t.Errorf("the only finding is mended, and the text does not compile: %s", r.Diagnostics[0])
			}
		})
	}
	if mended < 10 {
		t.Errorf("only %d examples have safe fixes: this test looks at too few", mended)
	}
}

// TestCraftedFilesCompile mends texts with several mistakes.
func TestCraftedFilesCompile(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		fixes            int
	}{
		{"several in one file", `aggregate A {
  state { n: integer, d: double, s: text }
  command c { n: number }
  event e { n: decimal }
  decide c { emit e { ..cmd }; }
  apply e { d = event.n }
}
`, `aggregate A {
  state { n: int, d: decimal, s: string }
  command c { n: decimal }
  event e { n: decimal }
  decide c { emit e { ..cmd } }
  apply e { state.d = event.n }
}
`, 6},
		{"one lays bare the next", `aggregate A {
  state { xs: set<text>, found: bool }
  command c { x: text }
  event e { x: string }
  decide c { require cmd.x != "" && true else empty  emit e { ..cmd } }
  apply e { state.xs += event.x  found = state.xs["a"] }
}
`, `aggregate A {
  state { xs: set<string>, found: bool }
  command c { x: string }
  event e { x: string }
  decide c { require cmd.x != "" and true else empty  emit e { ..cmd } }
  apply e { state.xs += event.x  state.found = "a" in state.xs }
}
`, 5},
		{"words of other languages", `aggregate A {
  state { b: bool, m: map<string, int> }
  command c {}
  event e {}
  decide c { require !state.b || False else no  emit e {} }
  apply e { state.b = True }
}
`, `aggregate A {
  state { b: bool, m: map<string, int> }
  command c {}
  event e {}
  decide c { require not state.b or false else no  emit e {} }
  apply e { state.b = true }
}
`, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := []dsl.Source{{Path: "a.agg", Text: []byte(tt.text)}}
			after, done := Fix(src)
			if got := string(after[0].Text); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if r := dsl.Compile(after, dsl.Options{}); !r.OK {
				t.Errorf("it does not compile: %s", r.Diagnostics[0])
			}
			if len(done) != tt.fixes {
				t.Errorf("got %d fixes, want %d", len(done), tt.fixes)
			}
			if string(src[0].Text) != tt.text {
				t.Error("the sources were changed in place")
			}
		})
	}
}

func TestFixesThatTouchWait(t *testing.T) {
	f := diag.NewFile("a.agg", []byte("abcdef"))
	at := func(from, to int32) diag.Span { return diag.Span{File: f, Start: from, End: to} }
	fix := func(edits ...diag.Edit) *diag.Diagnostic {
		return &diag.Diagnostic{Span: edits[0].Span, Fixes: []diag.Fix{{Safe: true, Edits: edits}}}
	}
	list := []*diag.Diagnostic{
		fix(diag.Edit{Span: at(0, 2), New: "x"}),
		fix(diag.Edit{Span: at(4, 5), New: "y"}, diag.Edit{Span: at(1, 2), New: "z"}), // one of the two overlaps: none is made
		fix(diag.Edit{Span: at(4, 6), New: "w"}),
		{Span: at(3, 3), Fixes: []diag.Fix{{Edits: []diag.Edit{{Span: at(3, 3), New: "unsafe"}}}}},
	}
	edits := safeEdits(list, inSource)
	if got := string(edited(f.Src, edits)); got != "xcdw" {
		t.Errorf("got %q, want xcdw", got)
	}
}
