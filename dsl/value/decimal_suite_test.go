package value

import (
	"bufio"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Cowlishaw's decQuad cases that lie inside our decimals (finite, scale 0 to 34 after reading)
// must give exactly the suite's result; those the suite calls Inexact must fault.
func TestCowlishaw(t *testing.T) {
	want := map[string]int{"dqAdd": 600, "dqSubtract": 300, "dqMultiply": 250, "dqCompare": 500, "dqQuantize": 250}
	for name, least := range want {
		t.Run(name, func(t *testing.T) {
			s := suite{t: t}
			s.run(filepath.Join("testdata", "decimal", name+".decTest"))
			t.Logf("%d cases apply, %d of them must fault", s.applied, s.faulted)
			if s.applied < least {
				t.Errorf("only %d cases were applicable, want at least %d", s.applied, least)
			}
		})
	}
}

type suite struct {
	t                *testing.T
	rounding         string
	applied, faulted int
}

func (s *suite) run(file string) {
	f, err := os.Open(file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "--")
		fields := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(line, "'", ""), `"`, ""))
		if len(fields) >= 2 && fields[0] == "rounding:" {
			s.rounding = fields[1]
		}
		if len(fields) >= 6 && fields[4] == "->" {
			s.check(fields)
		}
	}
	if err := lines.Err(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *suite) check(f []string) {
	x, okX := suiteNumber(f[2])
	y, okY := suiteNumber(f[3])
	if !okX || !okY || strings.Contains(f[5], "NaN") && !strings.Contains(line(f), "Invalid_operation") {
		return
	}
	inexact := strings.Contains(line(f), "Inexact")
	switch f[1] {
	case "add":
		got, fault := AddDecimal(x, y)
		s.result(f, got, fault, inexact)
	case "subtract":
		got, fault := SubDecimal(x, y)
		s.result(f, got, fault, inexact)
	case "multiply":
		got, fault := MulDecimal(x, y)
		s.result(f, got, fault, inexact)
	case "compare":
		s.applied++
		if got := string(rune('0' + CmpDecimal(x, y))); got != f[5] && !(got == "/" && f[5] == "-1") {
			s.t.Errorf("%s: got %d", line(f), CmpDecimal(x, y))
		}
	case "quantize":
		s.quantize(f, x, y)
	}
}

// raised tells whether an operand has a positive exponent.
func raised(s string) bool {
	_, exponent, has := strings.Cut(strings.ToLower(s), "e")
	return has && exponent[0] != '-'
}

func line(f []string) string { return strings.Join(f, " ") }

func (s *suite) quantize(f []string, x, y V) {
	mode, ok := ParseMode(s.rounding)
	if !ok || raised(f[3]) { // asks for a scale below 0
		return
	}
	got, fault := RoundD(x, int64(DecimalScale(y)), mode)
	if strings.Contains(f[5], "NaN") {
		s.applied++
		s.faulted++
		if fault == NoFault {
			s.t.Errorf("%s: got %s, want a fault", line(f), decText(got))
		}
		return
	}
	s.result(f, got, fault, false)
}

func (s *suite) result(f []string, got V, fault Fault, inexact bool) {
	if inexact {
		s.applied++
		s.faulted++
		if fault == NoFault {
			s.t.Errorf("%s: got %s, want a fault", line(f), decText(got))
		}
		return
	}
	want, ok := suiteNumber(f[5])
	if !ok {
		return
	}
	s.applied++
	same := decText(got) == decText(want)
	if raised(f[2]) || raised(f[3]) || raised(f[5]) { // their scale is below 0, ours is not
		same = CmpDecimal(got, want) == 0
	}
	if fault != NoFault || !same {
		s.t.Errorf("%s: got %s %s, want %s", line(f), decText(got), fault, decText(want))
	}
}

// suiteNumber reads an operand that is one of our decimals: no special value, no scale above 34,
// no digits beyond 34.
func suiteNumber(s string) (V, bool) {
	s = strings.TrimPrefix(strings.ToLower(s), "+")
	mantissa, exponent, _ := strings.Cut(s, "e")
	neg := strings.HasPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok || n.Sign() < 0 {
		return V{}, false
	}
	scale := int64(len(fraction))
	if exponent != "" {
		e, ok := new(big.Int).SetString(strings.TrimPrefix(exponent, "+"), 10)
		if !ok || !e.IsInt64() {
			return V{}, false
		}
		scale -= e.Int64()
	}
	if scale < 0 && scale > -2*MaxDigits { // 1e3 is 1000 here, as on the wire
		n.Mul(n, bigPow10(int(-scale)))
		scale = 0
	}
	if scale < 0 || scale > MaxScale || n.Cmp(bigPow10(MaxDigits)) >= 0 {
		return V{}, false
	}
	return pack(neg && n.Sign() != 0, fromBig(n), int(scale)), true
}
