package value

import "testing"

func BenchmarkDecimal(b *testing.B) {
	x, y := dec(b, "79.50"), dec(b, "0.5")
	z := dec(b, "100.25")
	big1, big2 := dec(b, "1234567890123456789012.50"), dec(b, "987654321098765432109.25")
	buf := make([]byte, 0, 64)
	b.Run("add", func(b *testing.B) { benchOp(b, AddDecimal, x, z) })
	b.Run("add/scales", func(b *testing.B) { benchOp(b, AddDecimal, x, y) })
	b.Run("add/big", func(b *testing.B) { benchOp(b, AddDecimal, big1, big2) })
	b.Run("mul", func(b *testing.B) { benchOp(b, MulDecimal, x, z) })
	b.Run("cmp", func(b *testing.B) {
		for b.Loop() {
			CmpDecimal(x, z)
		}
	})
	b.Run("round", func(b *testing.B) {
		for b.Loop() {
			RoundD(x, 1, HalfEven)
		}
	})
	b.Run("div", func(b *testing.B) {
		for b.Loop() {
			DivD(x, z, 4, HalfEven)
		}
	})
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			ParseDecimalText("79.50")
		}
	})
	b.Run("format", func(b *testing.B) {
		for b.Loop() {
			buf = AppendDecimal(buf[:0], x)
		}
	})
	b.Run("sum100", func(b *testing.B) {
		cells := make([]V, 200)
		for i := range cells {
			cells[i] = x
		}
		for b.Loop() {
			SumColumnD(cells, 2, 1)
		}
	})
}

func benchOp(b *testing.B, op func(x, y V) (V, Fault), x, y V) {
	for b.Loop() {
		op(x, y)
	}
}

var (
	withdrawFields  = []Field{{Name: "amount", Type: DecimalType}}
	withdrawnFields = []Field{{Name: "amount", Type: DecimalType}, {Name: "fee", Type: DecimalType}}
	holdType        = &Type{Kind: Record, Record: &RecordType{Name: "Hold", Fields: []Field{{Name: "amount", Type: DecimalType}, {Name: "until", Type: TimeType}}}}
	accountFields   = []Field{
		{Name: "owner", Type: StringType}, {Name: "status", Type: &Type{Kind: Enum, Enum: testEnum}}, {Name: "balance", Type: DecimalType},
		{Name: "holds", Type: &Type{Kind: Map, Key: UUIDType, Elem: holdType}}, {Name: "tags", Type: &Type{Kind: Set, Elem: StringType}},
		{Name: "contact", Type: &Type{Kind: Optional, Elem: StringType}}, {Name: "extra", Type: JSONType},
	}
	accountJSON = []byte(`{"owner":"ann","status":"USD","balance":1250.50,"holds":{"0192f3a0-0000-7abc-8def-0123456789ab":{"amount":10.50,"until":"2026-11-25T10:00:00Z"},` +
		`"0192f3a0-0001-7abc-8def-0123456789ab":{"amount":20,"until":"2026-11-26T10:00:00Z"}},"tags":["gold","vip"],"contact":"ann@example.com","extra":{"k":1.50}}`)
)

func BenchmarkDecode(b *testing.B) {
	command := []byte(`{"amount":75.25   }`)
	b.Run("command", func(b *testing.B) {
		vals := make([]V, 1)
		b.ReportAllocs()
		for b.Loop() {
			if DecodeFields(vals, withdrawFields, command, DecodeOptions{Ignore: "type"}) != nil {
				b.Fatal("refused")
			}
		}
	})
	b.Run("state", func(b *testing.B) {
		vals := make([]V, len(accountFields))
		b.ReportAllocs()
		b.SetBytes(int64(len(accountJSON)))
		for b.Loop() {
			if errs := DecodeFields(vals, accountFields, accountJSON, DecodeOptions{}); errs != nil {
				b.Fatal(errs)
			}
		}
	})
	b.Run("state/arena", func(b *testing.B) {
		vals := make([]V, len(accountFields))
		b.ReportAllocs()
		b.SetBytes(int64(len(accountJSON)))
		for b.Loop() {
			if errs := DecodeFields(vals, accountFields, accountJSON, DecodeOptions{Arena: new(Arena)}); errs != nil {
				b.Fatal(errs)
			}
		}
	})
	b.Run("peek", func(b *testing.B) {
		src := []byte(`{"type":"withdraw","amount":75.25}`)
		b.ReportAllocs()
		for b.Loop() {
			PeekType(src)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	vals := []V{dec(b, "75"), dec(b, "0.75")}
	buf := make([]byte, 0, 1024)
	b.Run("event", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = AppendFields(buf[:0], withdrawnFields, vals)
		}
	})
	b.Run("state", func(b *testing.B) {
		state := make([]V, len(accountFields))
		if errs := DecodeFields(state, accountFields, accountJSON, DecodeOptions{}); errs != nil {
			b.Fatal(errs)
		}
		b.ReportAllocs()
		b.SetBytes(int64(len(accountJSON)))
		for b.Loop() {
			buf = AppendFields(buf[:0], accountFields, state)
		}
	})
}

// The hot paths do not allocate.
func TestNoAllocations(t *testing.T) {
	x, y := dec(t, "79.50"), dec(t, "100.255")
	vals, buf, v := make([]V, 2), make([]byte, 0, 1024), V{}
	event := AppendFields(nil, withdrawnFields, []V{x, y})
	typed := []byte(`{"type":"withdraw","amount":75.25}`)
	state := make([]V, len(accountFields))
	if errs := DecodeFields(state, accountFields, accountJSON, DecodeOptions{}); errs != nil {
		t.Fatal(errs)
	}
	tests := []struct {
		name string
		run  func()
	}{
		{"add", func() { v, _ = AddDecimal(x, y) }}, {"sub", func() { v, _ = SubDecimal(x, y) }}, {"mul", func() { v, _ = MulDecimal(x, y) }},
		{"div", func() { v, _ = DivD(x, y, 6, HalfEven) }}, {"round", func() { v, _ = RoundD(y, 1, HalfEven) }}, {"parse", func() { v, _ = ParseDecimalText("79.50") }},
		{"decode", func() { DecodeFields(vals, withdrawnFields, event, DecodeOptions{}) }},
		{"decode typed", func() { DecodeFields(vals, withdrawFields, typed, DecodeOptions{Ignore: "type"}) }},
		{"encode", func() { buf = AppendFields(buf[:0], accountFields, state) }},
		{"peek", func() { PeekType(typed) }},
		{"time", func() { v, _ = ParseTime("2026-01-01T00:00:00Z") }},
	}
	for _, tt := range tests {
		if n := testing.AllocsPerRun(50, tt.run); n != 0 {
			t.Errorf("%s allocates %v times", tt.name, n)
		}
	}
	if got := string(AppendFields(nil, accountFields, state)); got != string(accountJSON) {
		t.Errorf("got %s (%d)", got, v.W)
	}
}
