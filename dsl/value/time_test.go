package value

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustTime(t testing.TB, s string) V {
	t.Helper()
	v, ok := ParseTime(s)
	if !ok {
		t.Fatalf("no time: %q", s)
	}
	return v
}

func TestParseTime(t *testing.T) {
	tests := []struct{ in, want string }{
		{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"}, {"2026-01-01T02:00:00.120+02:00", "2026-01-01T00:00:00.12Z"},
		{"2024-02-29T23:59:59.999999999-00:00", "2024-02-29T23:59:59.999999999Z"}, {"9999-12-31T23:59:59.5Z", "9999-12-31T23:59:59.5Z"},
		{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"}, {"1969-12-31T23:59:59.000000001Z", "1969-12-31T23:59:59.000000001Z"},
		{"2026-01-01T00:00:60Z", ""}, {"2025-02-29T00:00:00Z", ""}, {"0000-01-01T00:00:00Z", ""}, {"0001-01-01T00:00:00+00:01", ""},
		{"9999-12-31T23:59:59-00:01", ""}, {"2026-01-01 00:00:00Z", ""}, {"2026-01-01t00:00:00z", ""}, {"2026-01-01T00:00:00", ""},
		{"2026-01-01T24:00:00Z", ""}, {"2026-01-01T00:00:00.Z", ""}, {"2026-01-01T00:00:00.1234567890Z", ""}, {"2026-01-01T00:00:00+24:00", ""},
		{"2026-01-01T00:00:00+0200", ""}, {"2026-1-01T00:00:00Z", ""}, {"", ""}, {"2026-01-01T00:00:0xZ", ""}, {"2026-01-01T00:00:00ZZ", ""},
	}
	for _, tt := range tests {
		v, ok := ParseTime(tt.in)
		if ok != (tt.want != "") || ok && string(AppendTime(nil, v)) != tt.want {
			t.Errorf("%q: got %s %v, want %q", tt.in, AppendTime(nil, v), ok, tt.want)
		}
	}
}

// Against the standard library, over the whole range.
func TestTimeAgainstGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawValue(t, TimeType)
		g := GoTime(v)
		text := string(AppendTime(nil, v))
		if want := g.Format(time.RFC3339Nano); text != want {
			t.Fatalf("got %s, want %s", text, want)
		}
		back, ok := TimeOf(g)
		parsed, okParse := ParseTime(text)
		if !ok || !okParse || CompareTime(back, v) != 0 || CompareTime(parsed, v) != 0 || back.W != v.W || (back.Ref == nil) != (v.Ref == nil) {
			t.Fatalf("%s does not come back", text)
		}
		day := DayOfTime(v)
		y, m, d := g.Date()
		if YearOf(day) != int64(y) || MonthOf(day) != int64(m) || DayOf(day) != int64(d) || WeekdayOf(day) != int64((g.Weekday()+6)%7)+1 {
			t.Fatalf("parts of %s", text)
		}
		if date := string(AppendDate(nil, day)); date != g.Format(time.DateOnly) {
			t.Fatalf("date %s of %s", date, text)
		}
	})
}

func TestTimeArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, d := drawValue(t, TimeType), drawValue(t, TimeType), rapid.Int64().Draw(t, "d")
		sum, f := TimePlus(a, d)
		want := GoTime(a).Add(time.Duration(d))
		if inRange := want.Year() >= 1 && want.Year() <= 9999; inRange != (f == NoFault) || inRange && !GoTime(sum).Equal(want) {
			t.Fatalf("%s + %d: got %s %s", GoTime(a), d, GoTime(sum), f)
		}
		if back, f2 := TimeMinus(sum, d); f == NoFault && (f2 != NoFault || CompareTime(back, a) != 0) {
			t.Fatalf("%s + %d - %d: got %s %s", GoTime(a), d, d, GoTime(back), f2)
		}
		diff, f := TimeSince(a, b)
		if f == NoFault {
			if again, f := TimePlus(b, diff); f != NoFault || CompareTime(again, a) != 0 {
				t.Fatalf("%s - %s = %d", GoTime(a), GoTime(b), diff)
			}
		} else if sub := GoTime(a).Sub(GoTime(b)); sub != math.MaxInt64 && sub != math.MinInt64 { // Sub saturates
			t.Fatalf("%s - %s fits", GoTime(a), GoTime(b))
		}
		if CompareTime(a, b) != GoTime(a).Compare(GoTime(b)) {
			t.Fatal("order")
		}
	})
}

func TestTimeMinusLeast(t *testing.T) {
	a := mustTime(t, "2000-01-01T00:00:00Z")
	got, f := TimeMinus(a, math.MinInt64)
	if want := GoTime(a).Add(math.MaxInt64).Add(1); f != NoFault || !GoTime(got).Equal(want) {
		t.Errorf("got %s %s, want %s", GoTime(got), f, want)
	}
	if _, f := TimeMinus(mustTime(t, "9999-01-01T00:00:00Z"), math.MinInt64); f != Overflow {
		t.Errorf("got %s", f)
	}
	if _, ok := TimeOf(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)); ok {
		t.Error("the year 10000 is out of range")
	}
}

func TestDateArithmetic(t *testing.T) {
	day := func(s string) int64 {
		v, ok := ParseDate(s)
		if !ok {
			t.Fatalf("no date: %q", s)
		}
		return v.Int()
	}
	months := []struct {
		from string
		n    int64
		want string
	}{
		{"2024-01-31", 1, "2024-02-29"}, {"2023-01-31", 1, "2023-02-28"}, {"2024-03-31", -1, "2024-02-29"}, {"2024-12-15", 1, "2025-01-15"},
		{"2024-01-15", -1, "2023-12-15"}, {"2024-02-29", 12, "2025-02-28"}, {"2024-05-31", -13, "2023-04-30"}, {"2024-05-31", 0, "2024-05-31"},
		{"9999-12-01", 1, ""}, {"0001-01-31", -1, ""}, {"2024-01-01", math.MaxInt64, ""}, {"2024-01-01", math.MinInt64, ""},
	}
	for _, tt := range months {
		got, f := AddMonthsTo(day(tt.from), tt.n)
		if (f == NoFault) != (tt.want != "") || f == NoFault && string(AppendDate(nil, got)) != tt.want {
			t.Errorf("%s + %d months: got %s %s, want %s", tt.from, tt.n, AppendDate(nil, got), f, tt.want)
		}
	}
	for _, n := range []int64{math.MaxInt64, math.MinInt64, maxDay + 1, minDay - 1} {
		if _, f := AddDaysTo(0, n); f != Overflow {
			t.Errorf("%d days: got %s", n, f)
		}
	}
	if got, f := AddDaysTo(day("2024-02-28"), 2); f != NoFault || string(AppendDate(nil, got)) != "2024-03-01" {
		t.Errorf("got %s", AppendDate(nil, got))
	}
	for _, s := range []string{"2023-02-29", "2023-13-01", "0000-01-01", "2023-00-01", "2023-01-00", "23-01-01", "2023-01-01T", "+023-01-01"} {
		if _, ok := ParseDate(s); ok {
			t.Errorf("%q is no date", s)
		}
	}
}

func TestDuration(t *testing.T) {
	tests := []struct{ in, want string }{
		{"90s", "1m30s"}, {"24h", "24h"}, {"1d", "24h"}, {"1h30m", "1h30m"}, {"1s500ms", "1s500ms"}, {"0s", "0s"}, {"-0s", "0s"}, {"-1m", "-1m"},
		{"1d2h3m4s5ms6us7ns", "26h3m4s5ms6us7ns"}, {"9223372036854775807ns", "2562047h47m16s854ms775us807ns"},
		{"-9223372036854775808ns", "-2562047h47m16s854ms775us808ns"}, {"9223372036854775808ns", ""}, {"106752d", ""}, {"18446744073709551616ns", ""},
		{"1.5h", ""}, {"1m1h", ""}, {"1h1h", ""}, {"h", ""}, {"1", ""}, {"", ""}, {"-", ""}, {"+1s", ""}, {"1 s", ""}, {"01s", ""}, {"1w", ""}, {"1S", ""},
	}
	for _, tt := range tests {
		v, ok := ParseDuration(tt.in)
		if got := string(AppendDuration(nil, v.Int())); ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("%q: got %s %v, want %q", tt.in, got, ok, tt.want)
		}
	}
}

func TestUUIDText(t *testing.T) {
	id, ok := ParseUUID("0192F3A0-0000-7abc-8def-0123456789ab")
	if got := string(AppendUUID(nil, id)); !ok || got != "0192f3a0-0000-7abc-8def-0123456789ab" {
		t.Error(got, ok)
	}
	for _, s := range []string{"", "urn:uuid:0192f3a0-0000-7abc-8def-0123456789ab", "{0192f3a0-0000-7abc-8def-0123456789ab}", "0192f3a000007abc8def0123456789ab",
		"0192f3a0-0000-7abc-8def-0123456789ag", "0192f3a0-0000-7abc-8def-0123456789a", "0192f3a-00000-7abc-8def-0123456789ab", "0192f3a0-0000-7abc-8def--123456789ab"} {
		if _, ok := ParseUUID(s); ok {
			t.Errorf("%q is no uuid", s)
		}
	}
}

func TestIntArithmetic(t *testing.T) {
	const lo, hi = math.MinInt64, math.MaxInt64
	check := func(name string, got int64, ok bool, want int64, wantOK bool) {
		t.Helper()
		if ok != wantOK || ok && got != want {
			t.Errorf("%s: got %d %v, want %d %v", name, got, ok, want, wantOK)
		}
	}
	s, ok := AddInt(hi, 1)
	check("hi+1", s, ok, 0, false)
	s, ok = AddInt(lo, hi)
	check("lo+hi", s, ok, -1, true)
	s, ok = SubInt(lo, 1)
	check("lo-1", s, ok, 0, false)
	s, ok = SubInt(-1, lo)
	check("-1-lo", s, ok, hi, true)
	s, ok = SubInt(0, lo)
	check("0-lo", s, ok, 0, false)
	s, ok = MulInt(lo, -1)
	check("lo*-1", s, ok, 0, false)
	s, ok = MulInt(-3037000499, 3037000499)
	check("near the border", s, ok, -3037000499*3037000499, true)
	s, ok = MulInt(3037000500, 3037000500)
	check("over the border", s, ok, 0, false)
	s, ok = MulInt(lo, 1)
	check("lo*1", s, ok, lo, true)
	s, ok = NegInt(lo)
	check("-lo", s, ok, 0, false)
	s, ok = AbsInt(-5)
	check("abs", s, ok, 5, true)
	faults := []struct {
		name string
		op   func(a, b int64) (int64, Fault)
		a, b int64
		want int64
		f    Fault
	}{
		{"div", DivInt, -7, 2, -3, NoFault}, {"mod", ModInt, -7, 2, -1, NoFault}, {"mod", ModInt, 7, -2, 1, NoFault}, {"div by 0", DivInt, 1, 0, 0, DivisionByZero},
		{"mod by 0", ModInt, 1, 0, 0, DivisionByZero}, {"least div", DivInt, lo, -1, 0, Overflow}, {"least mod", ModInt, lo, -1, 0, NoFault}, {"div -1", DivInt, 5, -1, -5, NoFault},
	}
	for _, tt := range faults {
		if got, f := tt.op(tt.a, tt.b); f != tt.f || f == NoFault && got != tt.want {
			t.Errorf("%s: got %d %s", tt.name, got, f)
		}
	}
}

// Every byte at every place of a uuid is read as hexadecimal digits are, or refused.
func TestUUIDDigits(t *testing.T) {
	const text = "01234567-89ab-cdef-fedc-ba9876543210"
	for at := range len(text) {
		for c := range 256 {
			b := []byte(text)
			b[at] = byte(c)
			id, ok := ParseUUID(string(b))
			want, err := hex.DecodeString(strings.ReplaceAll(string(b), "-", ""))
			if is := err == nil && len(want) == 16; ok != is {
				t.Fatalf("%q: got %v", b, ok)
			}
			if !ok {
				continue
			}
			if string(id[:]) != string(want) {
				t.Errorf("%q: got %x", b, id)
			}
			if got := string(AppendUUID(nil, id)); got != strings.ToLower(string(b)) {
				t.Errorf("%q is written %s", b, got)
			}
		}
	}
}
