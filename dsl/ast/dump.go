package ast

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// Dump writes the tree under node as indented text without places: two trees with one dump say the
// same. It is for tests and `aggc` debugging and not fast.
func Dump(w io.Writer, node any) { dump(w, reflect.ValueOf(node), "", "") }

// DumpString is Dump into a string.
func DumpString(node any) string {
	var b strings.Builder
	Dump(&b, node)
	return b.String()
}

func dump(w io.Writer, v reflect.Value, label, indent string) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		dumpStruct(w, v, label, indent)
	case reflect.Slice:
		if v.Len() == 0 {
			return
		}
		fmt.Fprintf(w, "%s%s\n", indent, label)
		for i := range v.Len() {
			dump(w, v.Index(i), "-", indent+"  ")
		}
	default:
		if !v.IsZero() || label == "-" || strings.HasPrefix(label, "Value") {
			fmt.Fprintf(w, "%s%s %#v\n", indent, label, v.Interface())
		}
	}
}

func dumpStruct(w io.Writer, v reflect.Value, label, indent string) {
	if n, ok := v.Interface().(Name); ok {
		if n.Text != "" {
			fmt.Fprintf(w, "%s%s %s\n", indent, label, n.Text)
		}
		return
	}
	t := v.Type()
	fmt.Fprintf(w, "%s\n", strings.TrimRight(indent+label+" "+t.Name(), " "))
	for i := range t.NumField() {
		f := t.Field(i)
		switch f.Type {
		case reflect.TypeFor[At](), reflect.TypeFor[diag.Span](), reflect.TypeFor[*diag.File](), reflect.TypeFor[[]*Comment]():
			continue
		}
		dump(w, v.Field(i), f.Name, indent+"  ")
	}
}
