package check

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

const ignoreWord = "agg:ignore"

// ignores takes up the comments `// agg:ignore AGG5003 reason`: they silence a warning on their
// line or, standing alone, on the line below.
func (c *checker) ignores(f *ast.File) {
	for i, cm := range f.Comments {
		text, ok := strings.CutPrefix(strings.TrimLeft(cm.Text, "/ \t"), ignoreWord)
		if !ok || text != "" && text[0] != ' ' && text[0] != '\t' {
			continue
		}
		code, reason, _ := strings.Cut(strings.TrimSpace(text), " ")
		if !c.mayIgnore(cm.Span, diag.Code(code), strings.TrimSpace(reason)) {
			continue
		}
		line := cm.Span.StartPosition().Line
		if cm.OwnLine {
			line++
			for _, next := range f.Comments[i+1:] { // comments may stand between
				if !next.OwnLine || next.Span.StartPosition().Line != line {
					break
				}
				line++
			}
		}
		c.bag.Ignore(f.Source, line, diag.Code(code), cm.Span)
	}
}

// mayIgnore reports an ignore that says nothing or too little.
func (c *checker) mayIgnore(at diag.Span, code diag.Code, reason string) bool {
	in, known := diag.Explain(code)
	d := &diag.Diagnostic{}
	switch {
	case code == "":
		d = c.report(diag.BadIgnore, at, "this ignores nothing: the code of a warning is missing")
	case !known || in.Code != code:
		d = c.report(diag.BadIgnore, at, "there is no warning %q", code)
	case code.Severity() != diag.Warning:
		d = c.report(diag.BadIgnore, at, "%s is an error, and errors cannot be ignored", code)
	case reason == "":
		d = c.report(diag.BadIgnore, at, "%s is not ignored without a reason", code)
	default:
		return true
	}
	d.Hint = "write // agg:ignore AGG5003 why it is meant so"
	if near := nearest(string(code), warningCodes()); !known && near != "" {
		d.Hint = "did you mean " + near + "?"
	}
	return false
}

func warningCodes() []string {
	var out []string
	for _, in := range diag.Codes() {
		if in.Severity == diag.Warning {
			out = append(out, string(in.Code))
		}
	}
	return out
}
