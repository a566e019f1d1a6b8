package vm_test

import (
	"fmt"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// Every comparison in a where holds as the language says, whichever way it is checked: at once
// where the field is compared with a constant or another field, by code where it is more.
func TestWheres(t *testing.T) {
	const manifest = `aggregate Thing {
  state { n: int = 0 }
  event done {}
  apply done {}
  %s
}`
	tests := []struct {
		field, cond    string
		holds, refuses []string
	}{
		{"x: decimal", "x > 0", []string{"1", "0.01", "9999999999999999999999999999999999"}, []string{"0", "0.00", "-1", "-9999999999999999999999999999999999"}},
		{"x: decimal", "x >= 0.50", []string{"0.5", "0.500", "7"}, []string{"0.49", "0"}},
		{"x: decimal", "x != 1.5", []string{"1.51", "9999999999999999999999999999999999"}, []string{"1.5", "1.500"}},
		{"x: decimal", "x == 1.50", []string{"1.5"}, []string{"1.51"}},
		{"x: decimal", "x < 1000", []string{"999.99", "-5"}, []string{"1000", "1000.01", "9999999999999999999999999999999999"}},
		{"x: int", "x <= 3", []string{"3", "-9223372036854775808"}, []string{"4", "9223372036854775807"}},
		{"x: int", "x < 3", []string{"2"}, []string{"3"}},
		{"x: int", "x == 3", []string{"3"}, []string{"2"}},
		{"x: int", "x != 3", []string{"2"}, []string{"3"}},
		{"x: int", "x > 3 and x < 5", []string{"4"}, []string{"3", "5"}},
		{"x: int?", "x > 3", []string{"4", "null"}, []string{"3"}},
		{"x: decimal?", "x > 3", []string{"4", "null"}, []string{"3"}},
		{"x: bool", "x == true", []string{"true"}, []string{"false"}},
	}
	for i, tt := range tests {
		p := compiled(t, fmt.Sprintf(manifest, "command go { "+tt.field+" where "+tt.cond+" }\n  decide go { emit done {} }"), "Thing")
		cmd, _ := p.Command("go")
		m := p.Get()
		check := func(text string, want bool) {
			errs := m.DecodeCommand(cmd, []byte(`{"x":`+text+`}`))
			if got := errs == nil; got != want {
				t.Errorf("%d: %s with %s: got %v", i, tt.cond, text, got)
			}
			if want {
				return
			}
			if len(errs) != 1 || errs[0].Path != "x" || errs[0].Kind != value.OverBound || errs[0].Message != "must satisfy "+tt.cond {
				t.Errorf("%d: %s with %s: got %+v", i, tt.cond, text, errs)
			}
		}
		for _, text := range tt.holds {
			check(text, true)
		}
		for _, text := range tt.refuses {
			check(text, false)
		}
		p.Put(m)
	}
}

// Two fields of one command may be compared.
func TestWhereOfTwoFields(t *testing.T) {
	p := compiled(t, `aggregate Thing {
  state { n: int = 0 }
  command go { low: decimal, high: decimal where high > low }
  event done {}
  apply done {}
  decide go { emit done {} }
}`, "Thing")
	cmd, _ := p.Command("go")
	m := p.Get()
	for payload, want := range map[string]bool{`{"low":1,"high":1.01}`: true, `{"low":1,"high":1.00}`: false, `{"low":-3,"high":-4}`: false} {
		if got := m.DecodeCommand(cmd, []byte(payload)) == nil; got != want {
			t.Errorf("%s: got %v", payload, got)
		}
	}
}
