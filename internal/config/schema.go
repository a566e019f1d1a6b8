package config

import (
	"encoding/json"
	"io"
	"strings"
)

// schemaNode is a part of a JSON Schema (draft 2020-12).
type schemaNode struct {
	Schema      string                 `json:"$schema,omitempty"`
	Title       string                 `json:"title,omitempty"`
	Type        any                    `json:"type,omitempty"`
	Description string                 `json:"description,omitempty"`
	Default     string                 `json:"default,omitempty"`
	Pattern     string                 `json:"pattern,omitempty"`
	Properties  map[string]*schemaNode `json:"properties,omitempty"`
	Additional  *bool                  `json:"additionalProperties,omitempty"`
}

// Schema writes the JSON Schema of a settings file, for editors.
func Schema(w io.Writer) error {
	root := section()
	root.Schema, root.Title = "https://json-schema.org/draft/2020-12/schema", "Settings of aggd (aggregate.yaml, aggregate.toml)"
	for _, r := range Table {
		node := root
		parts := strings.Split(r.Key, ".")
		for _, p := range parts[:len(parts)-1] {
			if node.Properties[p] == nil {
				node.Properties[p] = section()
			}
			node = node.Properties[p]
		}
		node.Properties[parts[len(parts)-1]] = r.schema()
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(root)
}

func section() *schemaNode {
	closed := false
	return &schemaNode{Type: "object", Properties: map[string]*schemaNode{}, Additional: &closed}
}

func (r *Row) schema() *schemaNode {
	n := &schemaNode{Type: r.kind, Description: r.Doc, Default: r.Default}
	if r.kind == "duration" {
		n.Type, n.Pattern = "string", `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	}
	return n
}
