package lsp

import (
	"strings"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// hover tells what the name at a position is: how it is declared, its type, its comment, the
// gas that its rule may take, and the limit if one is said.
func (s *Server) hover(p positionParams) (any, error) {
	a, f, off := s.locate(p)
	if f == nil {
		return nil, nil
	}
	u := a.useAt(f, off)
	if u == nil {
		return nil, nil
	}
	text := a.describe(u)
	if text == "" {
		return nil, nil
	}
	return hover{markup{"markdown", text}, a.lines(f).span(u.At)}, nil
}

// describe is the hover text of a use.
func (a *analysis) describe(u *check.Use) string {
	switch {
	case u.Builtin != "":
		return code(u.Builtin) + "\nbuiltin"
	case u.Root:
		return a.describeRoot(u)
	case u.Decl.IsZero():
		return code("ctx." + u.At.Text() + typed(u))
	}
	d := a.decls[u.Decl]
	switch {
	case d == nil && u.Type != nil:
		return code(u.Decl.Text() + typed(u))
	case d == nil:
		return a.describeCode(u)
	}
	return d.describe(u, a.worstCase(d))
}

func typed(u *check.Use) string {
	if u.Type == nil {
		return ""
	}
	return ": " + u.Type.String()
}

func (a *analysis) describeRoot(u *check.Use) string {
	root := u.At.Text()
	if u.Decl.IsZero() {
		return code(root) + "\nthe command's time, identity, roles and metadata"
	}
	if d := a.decls[u.Decl]; d != nil {
		return code(root) + "\n" + d.kind() + "\n\n" + code(d.sig) + docText(d.doc)
	}
	switch root {
	case "old":
		return code(root) + "\nthe state before the command"
	}
	return code(root) + "\nthe state of the aggregate"
}

// describeCode tells the places that give a rejection code.
func (a *analysis) describeCode(u *check.Use) string {
	n := 0
	for i := range a.uses {
		if a.uses[i].Decl == u.Decl {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return code("reject "+u.At.Text()) + "\nrejection code"
}

// describe is the hover text of a declaration, where u names it; gas is what its rule may take.
func (d *decl) describe(u *check.Use, gas string) string {
	sig := d.sig
	if d.what == "column" && u.Type != nil {
		sig = d.name.Text + typed(u)
	}
	text := code(sig) + "\n" + d.kind()
	if gas != "" {
		text += ", " + gas
	}
	if d.gas != "" {
		text += ", gas limit " + d.gas
	}
	return text + docText(d.doc)
}

func (d *decl) kind() string {
	if d.of == "" {
		return d.what
	}
	return d.what + " of " + d.of
}

func docText(doc string) string {
	if doc = strings.TrimSpace(doc); doc == "" {
		return ""
	}
	return "\n\n" + doc
}

// code is text as a block of code.
func code(text string) string { return "```agg\n" + text + "\n```" }

// definition leads from a name to its declaration, and from an import to the file.
func (s *Server) definition(p positionParams) (any, error) {
	a, f, off := s.locate(p)
	if f == nil {
		return nil, nil
	}
	set := s.docs[p.TextDocument.URI].set
	if target := a.importAt(f, off); target != nil {
		return []location{{set.uri(target.Name), textRange{}}}, nil
	}
	u := a.useAt(f, off)
	if u == nil || u.Decl.IsZero() {
		return nil, nil
	}
	at := u.Decl
	if d := a.decls[at]; d == nil && u.Root {
		at.End = at.Start
	}
	return []location{{set.uri(at.File.Name), a.lines(at.File).span(at)}}, nil
}

// importAt is the file that the import at a byte of f means, or nil.
func (a *analysis) importAt(f *diag.File, off int) *diag.File {
	tree := a.tree(f)
	if tree == nil {
		return nil
	}
	for _, imp := range tree.Imports {
		if int(imp.Span.Start) <= off && off <= int(imp.Span.End) {
			return a.byName[importPath(f.Name, imp.Path)]
		}
	}
	return nil
}

func (a *analysis) tree(f *diag.File) *ast.File {
	for _, t := range a.Files {
		if t.Source == f {
			return t
		}
	}
	return nil
}

// references are all places that mean what the name at a position means.
func (s *Server) references(p referenceParams) (any, error) {
	a, f, off := s.locate(p.positionParams)
	if f == nil {
		return nil, nil
	}
	u := a.useAt(f, off)
	if u == nil || u.Decl.IsZero() {
		return nil, nil
	}
	set := s.docs[p.TextDocument.URI].set
	out := []location{}
	for i := range a.uses {
		v := &a.uses[i]
		if v.Decl != u.Decl || v.Root || v.At == v.Decl && !p.Context.IncludeDeclaration {
			continue
		}
		out = append(out, location{set.uri(v.At.File.Name), a.lines(v.At.File).span(v.At)})
	}
	return out, nil
}

// highlight are the references in the same document.
func (s *Server) highlight(p positionParams) (any, error) {
	a, f, off := s.locate(p)
	if f == nil {
		return nil, nil
	}
	u := a.useAt(f, off)
	out := []documentHighlight{}
	for i := range a.uses {
		v := &a.uses[i]
		if u != nil && !u.Decl.IsZero() && v.Decl == u.Decl && v.Root == u.Root && v.At.File == f {
			out = append(out, documentHighlight{a.lines(f).span(v.At)})
		}
	}
	return out, nil
}
