package daemon

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/report"
	"github.com/cloudlysis/aggregate/internal/server"
	"github.com/cloudlysis/aggregate/manifests"
)

// description describes the manifests in force; each set is described once, when first asked.
func (d *daemon) description() server.Describe {
	var (
		mu   sync.Mutex
		hash string
		text []byte
	)
	return func(kind string) ([]byte, error) {
		if kind != "openapi" {
			return nil, fmt.Errorf("no description %q", kind)
		}
		mu.Lock()
		defer mu.Unlock()
		set := d.sets.Current()
		if set.Hash == hash {
			return text, nil
		}
		b, err := openAPI(set)
		if err == nil {
			hash, text = set.Hash, b
		}
		return b, err
	}
}

func openAPI(set *manifests.Set) ([]byte, error) {
	var sources []dsl.Source
	for path, text := range set.Sources {
		sources = append(sources, dsl.Source{Path: path, Text: text})
	}
	r := dsl.Compile(sources, dsl.Options{})
	if !r.OK { // it was compiled before
		return nil, fmt.Errorf("the set %s does not compile", set.Hash)
	}
	var b bytes.Buffer
	err := report.OpenAPI(&b, r.Set, report.SchemaInfo{Title: "aggd", Version: set.Hash})
	return b.Bytes(), err
}
