package diag

import (
	"encoding/json"
	"io"
	"net/url"
)

// The JSON form. Lines and columns count from 1, columns in code points; the end is exclusive.
type (
	jsonPlace struct {
		File      string `json:"file"`
		Line      int    `json:"line"`
		Column    int    `json:"column"`
		EndLine   int    `json:"end_line"`
		EndColumn int    `json:"end_column"`
	}
	jsonDiagnostic struct {
		Code     Code   `json:"code"`
		Severity string `json:"severity"`
		Message  string `json:"message"`
		Label    string `json:"label,omitempty"`
		Hint     string `json:"hint"`
		jsonPlace
		Related []jsonRelated `json:"related"`
		Fixes   []jsonFix     `json:"fixes"`
	}
	jsonRelated struct {
		Message string `json:"message"`
		jsonPlace
	}
	jsonFix struct {
		Title string     `json:"title"`
		Safe  bool       `json:"safe"`
		Edits []jsonEdit `json:"edits"`
	}
	jsonEdit struct {
		jsonPlace
		New string `json:"new"`
	}
)

func placeOf(s Span) jsonPlace {
	start, end := s.StartPosition(), s.EndPosition()
	return jsonPlace{start.File, start.Line, start.Column, end.Line, end.Column}
}

func writeJSON(w io.Writer, list []*Diagnostic) error {
	out := make([]jsonDiagnostic, 0, len(list))
	for _, d := range list {
		j := jsonDiagnostic{
			Code: d.Code, Severity: d.Severity.String(), Message: d.Message, Label: d.Label, Hint: d.Hint,
			jsonPlace: placeOf(d.Span), Related: []jsonRelated{}, Fixes: []jsonFix{},
		}
		for _, r := range d.Related {
			j.Related = append(j.Related, jsonRelated{r.Message, placeOf(r.Span)})
		}
		for _, f := range d.Fixes {
			fix := jsonFix{Title: f.Title, Safe: f.Safe, Edits: []jsonEdit{}}
			for _, e := range f.Edits {
				fix.Edits = append(fix.Edits, jsonEdit{placeOf(e.Span), e.New})
			}
			j.Fixes = append(j.Fixes, fix)
		}
		out = append(out, j)
	}
	return encode(w, out)
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// The part of SARIF 2.1.0 that we write.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string      `json:"id"`
		Short sarifText   `json:"shortDescription"`
		Full  sarifText   `json:"fullDescription"`
		Level sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
		Related   []sarifLocation `json:"relatedLocations,omitempty"`
		Fixes     []sarifFix      `json:"fixes,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifText    `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sarifFix struct {
		Description sarifText     `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted sarifText   `json:"insertedContent"`
	}
)

func writeSARIF(w io.Writer, list []*Diagnostic) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "aggc", Rules: []sarifRule{}}
	known := map[Code]bool{}
	for _, d := range list {
		if info, ok := Explain(d.Code); ok && !known[d.Code] {
			known[d.Code] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
				ID: string(info.Code), Short: sarifText{info.Title}, Full: sarifText{info.Doc},
				Level: sarifConfig{info.Severity.String()},
			})
		}
		run.Results = append(run.Results, resultOf(d))
	}
	return encode(w, sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func resultOf(d *Diagnostic) sarifResult {
	text := d.Message
	if d.Hint != "" {
		text += ". Hint: " + d.Hint
	}
	r := sarifResult{RuleID: string(d.Code), Level: d.Severity.String(), Message: sarifText{text}}
	if !d.Span.IsZero() {
		r.Locations = []sarifLocation{locationOf(d.Span, "")}
	}
	for _, rel := range d.Related {
		if !rel.Span.IsZero() {
			r.Related = append(r.Related, locationOf(rel.Span, rel.Message))
		}
	}
	for _, f := range d.Fixes {
		r.Fixes = append(r.Fixes, fixOf(f))
	}
	return r
}

func locationOf(s Span, message string) sarifLocation {
	l := sarifLocation{Physical: sarifPhysical{artifactOf(s), regionOf(s)}}
	if message != "" {
		l.Message = &sarifText{message}
	}
	return l
}

func artifactOf(s Span) sarifArtifact {
	u := url.URL{Path: fileName(s)}
	return sarifArtifact{u.String()}
}

func regionOf(s Span) sarifRegion {
	p := placeOf(s)
	return sarifRegion{p.Line, p.Column, p.EndLine, p.EndColumn}
}

// fixOf groups the edits of a fix by file, as SARIF wants them.
func fixOf(f Fix) sarifFix {
	out := sarifFix{Description: sarifText{f.Title}, Changes: []sarifChange{}}
	at := map[string]int{}
	for _, e := range f.Edits {
		name := fileName(e.Span)
		i, ok := at[name]
		if !ok {
			i = len(out.Changes)
			at[name] = i
			out.Changes = append(out.Changes, sarifChange{Artifact: artifactOf(e.Span)})
		}
		out.Changes[i].Replacements = append(out.Changes[i].Replacements, sarifReplacement{regionOf(e.Span), sarifText{e.New}})
	}
	return out
}
