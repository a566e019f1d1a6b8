package report

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/check"
)

func itoa(n int) string { return strconv.Itoa(n) }

func text(s string) DocPart { return DocPart{Text: s} }
func code(s string) DocPart { return DocPart{Text: s, Code: true} }

func step(parts ...DocPart) DocStep { return DocStep{Parts: parts} }

// steps tell statements in words.
func steps(list []check.Stmt) []DocStep {
	var out []DocStep
	for _, s := range list {
		out = append(out, stepsOf(s)...)
	}
	return out
}

func stepsOf(s check.Stmt) []DocStep {
	switch s := s.(type) {
	case *check.Let:
		return []DocStep{step(code(s.Local.Name), text(" is "), code(source(s.Value, nil)))}
	case *check.Assign:
		return []DocStep{step(code(spanText(s.Span)))}
	case *check.Require:
		return []DocStep{requireStep(s)}
	case *check.RejectStmt:
		return []DocStep{step(append([]DocPart{text("refused "), code(s.Refusal.Code)}, said(s.Refusal)...)...)}
	case *check.Check:
		return []DocStep{step(text("must pass "), code(strings.TrimSpace(strings.TrimPrefix(spanText(s.Span), "check"))))}
	case *check.Emit:
		return []DocStep{emitStep(s)}
	case *check.Nothing:
		return []DocStep{step(text("no event here"))}
	case *check.Return:
		return []DocStep{step(text("gives "), code(source(s.Value, nil)))}
	case *check.IfStmt:
		return ifSteps(s)
	case *check.Match:
		return []DocStep{matchStep(s)}
	case *check.For:
		return []DocStep{{Parts: []DocPart{text("for each "), code(loopText(&s.Source))}, Sub: steps(s.Body)}}
	}
	return nil
}

func requireStep(s *check.Require) DocStep {
	cond := code(source(s.Cond, nil))
	if s.Nothing {
		return step(text("goes on only if "), cond, text("; else nothing more happens"))
	}
	return step(append([]DocPart{text("requires "), cond, text(", else refused "), code(s.Refusal.Code)}, said(s.Refusal)...)...)
}

// emitStep tells an event with what is written for it: `..cmd, fee: fee`.
func emitStep(s *check.Emit) DocStep {
	out := step(text("emits "), code(s.Event.Name))
	brace := s.Span.Start + int32(strings.IndexByte(s.Span.Text(), '{'))
	var items []string
	for i, f := range s.Make.Fields {
		at := f.Pos()
		if at.File != s.Span.File || at.Start <= brace || at.End > s.Span.End {
			continue // a default
		}
		item := source(f, nil)
		if !strings.HasPrefix(item, "..") {
			items = append(items, s.Event.Fields[i].Name+": "+item)
		} else if !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	if len(items) > 0 {
		out.Parts = append(out.Parts, text(" with "), code(strings.Join(items, ", ")))
	}
	return out
}

// said is the message of a refusal.
func said(r *check.Refusal) []DocPart {
	if m := message(r); m != "" {
		return []DocPart{text(": “" + m + "”")}
	}
	return nil
}

func ifSteps(s *check.IfStmt) []DocStep {
	out := []DocStep{{Parts: []DocPart{text("if "), code(source(s.Cond, nil))}, Sub: steps(s.Then)}}
	if len(s.Else) == 1 {
		if inner, ok := s.Else[0].(*check.IfStmt); ok {
			rest := ifSteps(inner)
			rest[0].Parts = append([]DocPart{text("else ")}, rest[0].Parts...)
			return append(out, rest...)
		}
	}
	if len(s.Else) > 0 {
		out = append(out, DocStep{Parts: []DocPart{text("else")}, Sub: steps(s.Else)})
	}
	return out
}

func matchStep(s *check.Match) DocStep {
	out := step(text("depending on "), code(source(s.Subject, nil)))
	for _, arm := range s.Arms {
		sub := DocStep{Parts: []DocPart{code(patterns(arm))}, Sub: steps(arm.Body)}
		if len(arm.Patterns) == 1 && arm.Patterns[0].Kind == check.PatWild {
			sub.Parts = []DocPart{text("anything else")}
		}
		if len(sub.Sub) == 0 {
			sub.Parts = append(sub.Parts, text(": goes on"))
		}
		out.Sub = append(out.Sub, sub)
	}
	return out
}

func loopText(s *check.Source) string {
	m := machine{}
	return m.loopNames(s) + " in " + m.sourceText(s)
}
