package dsl_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/testrun"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// rulings is how many numbered rulings the language has.
const rulings = 143

// An archive of testdata/conformance is about one ruling. A file ok….agg is a set that compiles,
// verifies and passes its own tests; bad….agg has findings, which dsl/check compares with the
// ERROR comments; files of a directory are one set. `wire` holds commands in JSON for ok.agg and
// what becomes of them. `proof` names the test, or the file and a text in it, that shows what no
// manifest can.
func archives(t *testing.T) map[int]*txtar.Archive {
	t.Helper()
	out := map[int]*txtar.Archive{}
	for n := 1; n <= rulings; n++ {
		ar, err := txtar.ParseFile(filepath.Join("testdata", "conformance", fmt.Sprintf("ruling_%03d.txtar", n)))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		out[n] = ar
	}
	return out
}

// TestRulingsCovered counts the rulings that have accepted and refused examples.
func TestRulingsCovered(t *testing.T) {
	covered, accepted, refused, wires := 0, 0, 0, 0
	all := archives(t)
	for n := 1; n <= rulings; n++ {
		ok, bad := false, false
		if ar := all[n]; ar != nil {
			if want := fmt.Sprintf("Ruling %d:", n); !strings.HasPrefix(string(ar.Comment), want) {
				t.Errorf("ruling %d: the archive begins with %.20q, want %q", n, ar.Comment, want)
			}
			for _, f := range ar.Files {
				switch {
				case strings.HasPrefix(f.Name, "ok"):
					ok = true
					accepted++
				case strings.HasPrefix(f.Name, "bad"):
					bad = true
					refused++
				case f.Name == "wire":
					wires += bytes.Count(f.Data, []byte("\n"))
				case f.Name != "proof":
					t.Errorf("ruling %d: nothing runs the file %s", n, f.Name)
				}
			}
		}
		if ok && bad {
			covered++
			continue
		}
		t.Errorf("ruling %d: accepted example %t, refused example %t", n, ok, bad)
	}
	t.Logf("%d of %d rulings covered: %d accepted and %d refused files, %d lines of wire", covered, rulings, accepted, refused, wires)
}

// sets are the manifest sets of an archive whose name begins with prefix.
func sets(ar *txtar.Archive, prefix string) map[string][]dsl.Source {
	out := map[string][]dsl.Source{}
	for _, f := range ar.Files {
		name, _, _ := strings.Cut(f.Name, "/")
		if strings.HasPrefix(name, prefix) {
			out[name] = append(out[name], dsl.Source{Path: f.Name, Text: f.Data})
		}
	}
	return out
}

// TestAcceptedExamplesRun compiles and verifies the accepted examples and runs their tests.
func TestAcceptedExamplesRun(t *testing.T) {
	ran := 0
	for n, ar := range archives(t) {
		for name, sources := range sets(ar, "ok") {
			t.Run(fmt.Sprintf("%03d/%s", n, name), func(t *testing.T) {
				r := compiled(t, sources)
				rep := testrun.Run(r, testrun.Options{})
				ran += len(rep.Results)
				if rep.Failed() > 0 {
					var b bytes.Buffer
					if err := rep.Write(&b, testrun.Pretty, testrun.WriteOptions{}); err != nil {
						t.Fatal(err)
					}
					t.Errorf("%s", b.String())
				}
			})
		}
	}
	t.Logf("%d tests of accepted examples ran", ran)
}

// TestRefusedExamplesDoNotCompile: a refused example has findings through the front door too.
func TestRefusedExamplesDoNotCompile(t *testing.T) {
	for n, ar := range archives(t) {
		for name, sources := range sets(ar, "bad") {
			if r := dsl.Compile(sources, dsl.Options{Tests: true}); len(r.Diagnostics) == 0 {
				t.Errorf("ruling %d: %s compiles without a finding", n, name)
			}
		}
	}
}

// compiled compiles a set and verifies its programs.
func compiled(t *testing.T, sources []dsl.Source) *dsl.Result {
	t.Helper()
	r := dsl.Compile(sources, dsl.Options{Tests: true})
	if !r.OK {
		var b bytes.Buffer
		if err := diag.Write(&b, diag.Pretty, r.Diagnostics, diag.Options{}); err != nil {
			t.Fatal(err)
		}
		t.Fatalf("does not compile:\n%s", b.String())
	}
	for _, p := range r.Programs {
		if err := bytecode.Verify(p.Program); err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
	}
	return r
}

// wireLine is `command JSON => the fields decoded`, `-> event fields` or `!! paths of the errors`.
var wireLine = regexp.MustCompile(`^(\w+) (\{.*\}) (=>|->|!!) (.*)$`)

// rawByte is \xNN, a byte that no editor would keep.
var rawByte = regexp.MustCompile(`\\x([0-9a-f]{2})`)

// TestWire runs the commands of each wire file.
func TestWire(t *testing.T) {
	for n, ar := range archives(t) {
		for _, f := range ar.Files {
			if f.Name != "wire" {
				continue
			}
			t.Run(fmt.Sprintf("%03d", n), func(t *testing.T) {
				r := compiled(t, sets(ar, "ok")["ok.agg"])
				prog, err := vm.Load(r.Programs[0].Program)
				if err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(string(f.Data)) {
					wire(t, prog, strings.TrimSuffix(line, "\n"))
				}
			})
		}
	}
}

func wire(t *testing.T, prog *vm.Program, line string) {
	t.Helper()
	p := wireLine.FindStringSubmatch(line)
	if p == nil {
		t.Fatalf("no line of wire: %s", line)
	}
	cmd, ok := prog.Command(p[1])
	if !ok {
		t.Fatalf("no command %s", p[1])
	}
	payload := rawByte.ReplaceAllFunc([]byte(p[2]), func(x []byte) []byte {
		b, _ := strconv.ParseUint(string(x[2:]), 16, 8)
		return []byte{byte(b)}
	})
	m := prog.Get()
	defer prog.Put(m)
	errs := m.DecodeCommand(cmd, payload)
	switch got := ""; p[3] {
	case "!!":
		var paths []string
		for _, e := range errs {
			paths = append(paths, e.Path)
		}
		if got = strings.Join(paths, ", "); got != p[4] {
			t.Errorf("%s\ngot errors at %q", line, got)
		}
	case "=>":
		fields := prog.Code().Commands[cmd].Fields
		if got = object(fields, m.CommandFields(cmd)); len(errs) > 0 || !includes(got, p[4]) {
			t.Errorf("%s\ngot %s %v", line, got, errs)
		}
	case "->":
		state := initial(prog)
		out := m.Decide(cmd, state, &vm.Ctx{}, false, vm.DefaultGas)
		if len(errs) > 0 || out.Kind != vm.Accepted || m.Events() == 0 {
			t.Fatalf("%s\ngot %+v %v", line, out, errs)
		}
		name, _ := m.EventName(0)
		if got = name + " " + string(m.AppendEvent(nil, 0)); got != p[4] {
			t.Errorf("%s\ngot %s", line, got)
		}
	}
}

func initial(prog *vm.Program) []value.V {
	state, errs := prog.DecodeState([]byte("{}"))
	if len(errs) > 0 {
		panic(errs)
	}
	return state
}

// object is the JSON of fields.
func object(fields []value.Field, vals []value.V) string {
	b := []byte{'{'}
	for i := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(strconv.AppendQuote(b, fields[i].Name), ':')
		b = value.AppendJSON(b, fields[i].Type, vals[i])
	}
	return string(append(b, '}'))
}

// includes tells whether the fields of want stand in got in this order and these words.
func includes(got, want string) bool { return strings.Contains(got, want[1:len(want)-1]) }

// TestProofs: what the proof files name exists.
func TestProofs(t *testing.T) {
	for n, ar := range archives(t) {
		for _, f := range ar.Files {
			if f.Name != "proof" {
				continue
			}
			for line := range strings.Lines(string(f.Data)) {
				where, what, _ := strings.Cut(strings.TrimSpace(line), " ")
				if !proved(t, filepath.Join("..", where), what) {
					t.Errorf("ruling %d: no %s in %s", n, what, where)
				}
			}
		}
	}
}

// proved looks for a text in a file, or for a test in a package.
func proved(t *testing.T, path, what string) bool {
	t.Helper()
	files := []string{path}
	if filepath.Ext(path) == "" {
		var err error
		if files, err = filepath.Glob(filepath.Join(path, "*_test.go")); err != nil {
			t.Fatal(err)
		}
		what = "func " + what + "(t *testing.T)"
	}
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil && bytes.Contains(text, []byte(what)) {
			return true
		}
	}
	return false
}
