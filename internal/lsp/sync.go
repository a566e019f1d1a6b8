package lsp

import (
	"maps"
	"slices"
	"time"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

func (s *Server) didOpen(p didOpenParams) (any, error) {
	s.close(p.TextDocument.URI) // a client that opens twice means the second
	doc := &document{uri: p.TextDocument.URI, path: pathOf(p.TextDocument.URI), version: p.TextDocument.Version, text: []byte(p.TextDocument.Text)}
	s.docs[doc.uri] = doc
	s.join(doc)
	s.changed(doc.set, 0)
	return nil, nil
}

// join puts doc into the set that it belongs to.
func (s *Server) join(doc *document) {
	root := doc.uri
	if doc.path != "" {
		root = SetRoot(doc.path, doc.text, s.folders...)
	}
	doc.set = s.sets[root]
	if doc.set == nil {
		doc.set = &set{root: root, docs: map[string]*document{}, published: map[string]bool{}}
		s.sets[root] = doc.set
	}
	doc.set.docs[doc.set.name(doc)] = doc
}

func (s *Server) didChange(p didChangeParams) (any, error) {
	doc := s.docs[p.TextDocument.URI]
	if doc == nil {
		return nil, nil
	}
	for _, c := range p.ContentChanges {
		if c.Range == nil {
			doc.text = []byte(c.Text)
			continue
		}
		doc.text = newLines(doc.text, s.utf8).apply(*c.Range, c.Text)
	}
	doc.version = p.TextDocument.Version
	s.changed(doc.set, s.quiet)
	return nil, nil
}

func (s *Server) didSave(p documentParams) (any, error) {
	if doc := s.docs[p.TextDocument.URI]; doc != nil {
		s.rejoin()
		s.changed(doc.set, 0)
	}
	return nil, nil
}

func (s *Server) didClose(p documentParams) (any, error) {
	s.close(p.TextDocument.URI)
	return nil, nil
}

// close forgets an open document; what its set says of the file on disk stays while another
// document of the set is open.
func (s *Server) close(uri string) {
	doc := s.docs[uri]
	if doc == nil {
		return
	}
	delete(s.docs, uri)
	s.part(doc)
}

// part takes doc out of its set; what is said of a set without documents is taken back.
func (s *Server) part(doc *document) {
	set := doc.set
	delete(set.docs, set.name(doc))
	if len(set.docs) > 0 {
		s.changed(set, 0)
		return
	}
	set.halt()
	delete(s.sets, set.root)
	for _, uri := range slices.Sorted(maps.Keys(set.published)) {
		s.notify("textDocument/publishDiagnostics", publishParams{URI: uri, Diagnostics: []diagnostic{}})
	}
}

// rejoin looks again for the set of each document: an import or an index may have come.
func (s *Server) rejoin() {
	for _, uri := range slices.Sorted(maps.Keys(s.docs)) {
		doc := s.docs[uri]
		if doc.path != "" && SetRoot(doc.path, doc.text, s.folders...) != doc.set.root {
			s.part(doc)
			s.join(doc)
			s.changed(doc.set, 0)
		}
	}
}

func (s *Server) filesChanged() (any, error) {
	s.rejoin()
	for _, set := range s.sets {
		s.changed(set, 0)
	}
	return nil, nil
}

func (s *Server) foldersChanged(p foldersParams) (any, error) {
	for _, f := range p.Event.Removed {
		dir := pathOf(f.URI)
		s.folders = slices.DeleteFunc(s.folders, func(d string) bool { return d == dir })
	}
	for _, f := range p.Event.Added {
		s.addFolder(pathOf(f.URI))
	}
	return s.filesChanged()
}

// changed forgets what was known of a set and tells its diagnostics after a while.
func (s *Server) changed(set *set, after time.Duration) {
	set.current = nil
	set.halt()
	var t *time.Timer
	t = time.AfterFunc(after, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if set.timer == t && !s.down {
			set.timer = nil
			s.publish(set)
		}
	})
	set.timer = t
}

// halt forgets that diagnostics are due.
func (s *set) halt() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

// publish tells the diagnostics of all files of a set, and of those that have none any more.
func (s *Server) publish(set *set) {
	defer func() {
		if x := recover(); x != nil {
			s.log("diagnostics of %s: %v", set.root, x)
		}
	}()
	a := set.analyse(s.utf8)
	byURI := map[string][]diagnostic{}
	for _, d := range set.docs {
		byURI[d.uri] = []diagnostic{}
	}
	for uri := range set.published {
		byURI[uri] = []diagnostic{}
	}
	for _, d := range a.Diagnostics {
		if d.Span.File != nil {
			uri := set.uri(d.Span.File.Name)
			byURI[uri] = append(byURI[uri], s.diagnostic(set, a, d))
		}
	}
	clear(set.published)
	for _, uri := range slices.Sorted(maps.Keys(byURI)) {
		p := publishParams{URI: uri, Diagnostics: byURI[uri]}
		if doc := s.docs[uri]; doc != nil {
			p.Version = &doc.version
		}
		if len(p.Diagnostics) > 0 {
			set.published[uri] = true
		}
		s.notify("textDocument/publishDiagnostics", p)
	}
}

// unnecessary tells whether code speaks of what could be left out, which editors show faded.
func unnecessary(code diag.Code) bool {
	return code == diag.Unreachable || code == diag.RepeatedRequire || code == diag.VarNeverRead
}

func (s *Server) diagnostic(set *set, a *analysis, d *diag.Diagnostic) diagnostic {
	out := diagnostic{
		Range: a.lines(d.Span.File).span(d.Span), Severity: int(d.Severity) + 1, Code: string(d.Code), Source: "aggc", Message: d.Message,
	}
	if d.Hint != "" {
		out.Message += "\nhint: " + d.Hint
	}
	if unnecessary(d.Code) {
		out.Tags = []int{1}
	}
	for _, r := range d.Related {
		if r.Span.File != nil {
			at := location{set.uri(r.Span.File.Name), a.lines(r.Span.File).span(r.Span)}
			out.RelatedInformation = append(out.RelatedInformation, relatedInformation{at, r.Message})
		}
	}
	return out
}
