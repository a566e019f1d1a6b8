package testrun

import (
	"strconv"

	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// absent stands in a Diff for a key that is not there.
const absent = "absent"

// differ collects the places at which a value is not the wanted one.
type differ struct {
	r   *runner
	out []Diff
}

func (d *differ) add(path, want, got string) { d.out = append(d.out, Diff{path, want, got}) }

// want compares got, of type w.Type, with what a `then emit` wants.
func (d *differ) want(path string, w *compile.TestWant, got value.V) {
	switch {
	case w.Blank:
		return
	case !w.Deep:
		d.values(path, w.Type, d.r.value(&w.Part), got)
		return
	}
	whole := func() { d.add(path, string(d.r.appendWant(nil, w)), string(value.AppendJSON(nil, w.Type, got))) }
	t := bare(w.Type)
	if w.Type.Kind == value.Optional && got.IsNone() {
		whole()
		return
	}
	switch {
	case t.Kind == value.Record:
		for i := range w.Parts {
			d.want(path+"."+t.Record.Fields[i].Name, &w.Parts[i], got.Field(i))
		}
	case t.Kind == value.Map:
		d.wantMap(path, t, w, got)
	case got.Len() != len(w.Parts):
		whole()
	default:
		for i := range w.Parts {
			d.want(path+element(i), &w.Parts[i], value.ElemAt(t, got, i))
		}
	}
}

func (d *differ) wantMap(path string, t *value.Type, w *compile.TestWant, got value.V) {
	asked := map[int]bool{}
	for i := range w.Parts {
		k := d.r.value(&w.Keys[i])
		at, ok := value.MapFind(t, got, k)
		if !ok {
			d.add(path+key(t, k), string(d.r.appendWant(nil, &w.Parts[i])), absent)
			continue
		}
		asked[at] = true
		d.want(path+key(t, k), &w.Parts[i], value.ElemAt(t, got, at))
	}
	for i, k := range got.Keys() {
		if !asked[i] {
			d.add(path+key(t, k), absent, string(value.AppendJSON(nil, t.Elem, value.ElemAt(t, got, i))))
		}
	}
}

// values compares two values of type t and goes down to what differs.
func (d *differ) values(path string, t *value.Type, want, got value.V) {
	if value.Equal(t, want, got) {
		return
	}
	if t.Kind == value.Optional && !want.IsNone() && !got.IsNone() {
		t = t.Elem
	}
	switch {
	case t.Kind == value.Record:
		for i := range t.Record.Fields {
			f := &t.Record.Fields[i]
			d.values(path+"."+f.Name, f.Type, want.Field(i), got.Field(i))
		}
	case t.Kind == value.List && want.Len() == got.Len():
		for i := range want.Len() {
			d.values(path+element(i), t.Elem, value.ElemAt(t, want, i), value.ElemAt(t, got, i))
		}
	case t.Kind == value.Map:
		d.maps(path, t, want, got)
	default:
		d.add(path, string(value.AppendJSON(nil, t, want)), string(value.AppendJSON(nil, t, got)))
	}
}

func (d *differ) maps(path string, t *value.Type, want, got value.V) {
	for i, k := range want.Keys() {
		w := value.ElemAt(t, want, i)
		if at, ok := value.MapFind(t, got, k); ok {
			d.values(path+key(t, k), t.Elem, w, value.ElemAt(t, got, at))
		} else {
			d.add(path+key(t, k), string(value.AppendJSON(nil, t.Elem, w)), absent)
		}
	}
	for i, k := range got.Keys() {
		if _, ok := value.MapFind(t, want, k); !ok {
			d.add(path+key(t, k), absent, string(value.AppendJSON(nil, t.Elem, value.ElemAt(t, got, i))))
		}
	}
}

func element(i int) string { return "[" + strconv.Itoa(i) + "]" }

func key(t *value.Type, k value.V) string { return "[" + strconv.Quote(plain(t.Key, k)) + "]" }
