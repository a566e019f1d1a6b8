package value

import (
	"bytes"
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

var (
	pairType  = &Type{Kind: Record, Record: &RecordType{Name: "Pair", Fields: []Field{{Name: "a", Type: IntType}, {Name: "b", Type: StringType}}}}
	intList   = &Type{Kind: List, Elem: IntType}
	pairList  = &Type{Kind: List, Elem: pairType}
	pairMap   = &Type{Kind: Map, Key: IntType, Elem: pairType}
	intSet    = &Type{Kind: Set, Elem: IntType}
	stringSet = &Type{Kind: Set, Elem: StringType}
)

func pair(a int64) V { return MakeRecord([]V{MakeInt(a), MakeString("s")}) }

func listText(t *Type, v V) string { return string(AppendJSON(nil, t, v)) }

func ints(n ...int64) V {
	b := NewBuilder(intList, len(n))
	for _, i := range n {
		b.Append(MakeInt(i))
	}
	return b.Done()
}

// Whatever is done with a value, older values stay as they were: the model keeps all of them
// with their texts, picks any to go on from, and looks at all of them again.
func TestPersistence(t *testing.T) {
	types := []*Type{intList, pairList, pairMap, intSet, {Kind: Map, Key: StringType, Elem: DecimalType}}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(types).Draw(t, "type")
		all, texts := []V{{}}, []string{listText(typ, V{})}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			v := all[rapid.IntRange(0, len(all)-1).Draw(t, "from")]
			if rapid.Bool().Draw(t, "newest") {
				v = all[len(all)-1]
			}
			next := change(t, typ, v)
			all, texts = append(all, next), append(texts, listText(typ, next))
			checkRowsOrder(t, typ, next)
		}
		for i, v := range all {
			if got := listText(typ, v); got != texts[i] {
				t.Fatalf("value %d became %s, was %s", i, got, texts[i])
			}
		}
	})
}

func change(t *rapid.T, typ *Type, v V) V {
	i := rapid.Int64Range(-1, int64(v.Len())).Draw(t, "i")
	op := rapid.IntRange(0, 4).Draw(t, "op")
	switch typ.Kind {
	case List:
		elem := drawValue(t, typ.Elem)
		switch op {
		case 0:
			if next, f := ListSet(typ, v, i, elem); f == NoFault {
				return next
			}
		case 1:
			if next, f := ListRemove(typ, v, i); f == NoFault {
				return next
			}
		case 2:
			return ListConcat(typ, v, ListSlice(typ, v, i, i+2))
		case 3:
			return ListSlice(typ, v, i, i+5)
		}
		return ListAppend(typ, v, elem)
	case Set:
		m := MakeInt(rapid.Int64Range(0, 30).Draw(t, "member"))
		switch op {
		case 0:
			return SetRemove(typ, v, m)
		case 1:
			return SetUnion(typ, v, SetAdd(typ, V{}, m))
		case 2:
			return SetWithout(typ, v, SetAdd(typ, V{}, m))
		}
		return SetAdd(typ, v, m)
	}
	k := MakeInt(rapid.Int64Range(0, 30).Draw(t, "key"))
	if typ.Key.Kind == String {
		k = MakeString(rapid.StringMatching("[a-e]{0,2}").Draw(t, "key"))
	}
	if op == 0 {
		return MapRemove(typ, v, k)
	}
	return MapSet(typ, v, k, drawValue(t, typ.Elem))
}

func checkRowsOrder(t *rapid.T, typ *Type, v V) {
	if typ.Kind == List {
		return
	}
	keys := v.Keys()
	for i := 1; i < len(keys); i++ {
		if CompareKey(typ.KeyType(), keys[i-1], keys[i]) >= 0 {
			t.Fatalf("keys out of order in %s", listText(typ, v))
		}
	}
}

// A map behaves as a Go map with sorted keys, a set as one of members.
func TestMapModel(t *testing.T) {
	typ := &Type{Kind: Map, Key: IntType, Elem: IntType}
	rapid.Check(t, func(t *rapid.T) {
		model, v, set := map[int64]int64{}, V{}, V{}
		for range rapid.IntRange(0, 80).Draw(t, "steps") {
			k, val := rapid.Int64Range(-20, 20).Draw(t, "k"), rapid.Int64().Draw(t, "v")
			if rapid.IntRange(0, 3).Draw(t, "op") == 0 {
				v, set = MapRemove(typ, v, MakeInt(k)), SetRemove(intSet, set, MakeInt(k))
				delete(model, k)
			} else {
				v, set = MapSet(typ, v, MakeInt(k), MakeInt(val)), SetAdd(intSet, set, MakeInt(k))
				model[k] = val
			}
		}
		keys := slices.Sorted(maps.Keys(model))
		if v.Len() != len(keys) || set.Len() != len(keys) {
			t.Fatalf("got %d and %d keys, want %d", v.Len(), set.Len(), len(keys))
		}
		for i, k := range keys {
			got, ok := MapGet(typ, v, MakeInt(k))
			if !ok || got.Int() != model[k] || v.Keys()[i].Int() != k || !SetHas(intSet, set, MakeInt(k)) || ElemAt(intSet, set, i).Int() != k {
				t.Fatalf("key %d", k)
			}
		}
		if _, ok := MapGet(typ, v, MakeInt(99)); ok || SetHas(intSet, set, MakeInt(99)) {
			t.Fatal("99 was never put")
		}
	})
}

func TestSetAlgebra(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawValue(t, stringSet)
		b := drawValue(t, stringSet)
		u, w := SetUnion(stringSet, a, b), SetWithout(stringSet, a, b)
		for _, m := range slices.Concat(a.Keys(), b.Keys()) {
			inA, inB := SetHas(stringSet, a, m), SetHas(stringSet, b, m)
			if !SetHas(stringSet, u, m) || SetHas(stringSet, w, m) != (inA && !inB) {
				t.Fatalf("member %q", m.Str())
			}
		}
		if !Equal(stringSet, SetUnion(stringSet, w, b), u) {
			t.Fatal("(a - b) + b is not a + b")
		}
	})
}

func TestBuilderLastWins(t *testing.T) {
	b := NewBuilder(pairMap, 1)
	for _, k := range []int64{5, 3, 5, 1, 3} {
		b.Put(MakeInt(k), pair(k*10+int64(b.Len())))
	}
	if got := listText(pairMap, b.Done()); got != `{"1":{"a":13,"b":"s"},"3":{"a":34,"b":"s"},"5":{"a":52,"b":"s"}}` {
		t.Error(got)
	}
	if b.Len() != 0 || b.Done().Len() != 0 {
		t.Error("the builder is not empty")
	}
}

func TestListFaults(t *testing.T) {
	v := ints(1, 2, 3)
	for _, i := range []int64{-1, 3, 1 << 62, -1 << 63} {
		_, get := ListGet(intList, v, i)
		_, set := ListSet(intList, v, i, V{})
		_, remove := ListRemove(intList, v, i)
		if get != Index || set != Index || remove != Index {
			t.Errorf("%d: got %s %s %s", i, get, set, remove)
		}
	}
}

// Appending is cheap: the room behind a value is used in place, once.
func TestAppendInPlace(t *testing.T) {
	one := pair(1)
	allocs := testing.AllocsPerRun(5, func() {
		v := V{}
		for range 1000 {
			v = ListAppend(pairList, v, one)
		}
	})
	if allocs > 60 {
		t.Errorf("1000 appends took %v allocations", allocs)
	}
	base := ListAppend(intList, ListAppend(intList, ints(1), MakeInt(2)), MakeInt(3))
	x, y := ListAppend(intList, base, MakeInt(4)), ListAppend(intList, base, MakeInt(5))
	if listText(intList, base)+listText(intList, x)+listText(intList, y) != "[1,2,3][1,2,3,4][1,2,3,5]" {
		t.Error(listText(intList, base), listText(intList, x), listText(intList, y))
	}
}

// Several goroutines may read and append to one value; run with -race.
func TestConcurrentAppend(t *testing.T) {
	base := ints(1)
	for i := range int64(8) {
		base = ListAppend(intList, base, MakeInt(i))
	}
	want := listText(intList, base)
	var wg sync.WaitGroup
	for g := range int64(8) {
		wg.Go(func() {
			v := base
			for i := range int64(50) {
				v = ListAppend(intList, v, MakeInt(g*1000+i))
			}
			for i := range int64(50) {
				if e, _ := ListGet(intList, v, 9+i); e.Int() != g*1000+i {
					t.Errorf("goroutine %d sees %d at %d", g, e.Int(), i)
				}
			}
			if got := listText(intList, base); got != want {
				t.Errorf("the base became %s", got)
			}
		})
	}
	wg.Wait()
}

func TestRecordWith(t *testing.T) {
	a := pair(1)
	b := RecordWith(a, 2, 0, MakeInt(2))
	if listText(pairType, a)+listText(pairType, b) != `{"a":1,"b":"s"}{"a":2,"b":"s"}` {
		t.Error(listText(pairType, a), listText(pairType, b))
	}
}

func TestSize(t *testing.T) {
	tests := []struct {
		t    *Type
		v    V
		want int
	}{
		{IntType, MakeInt(5), 0}, {StringType, MakeString("abc"), 3}, {pairType, pair(1), 32}, {intList, ints(1, 2), 32},
		{pairList, ListAppend(pairList, V{}, pair(1)), 32}, {pairMap, MapSet(pairMap, V{}, V{}, pair(1)), 48}, {intSet, SetAdd(intSet, V{}, V{}), 16},
		{optional(StringType), None, 0}, {optional(StringType), MakeString("abcd"), 4}, {UUIDType, MakeUUID([16]byte{1}), 16},
	}
	for _, tt := range tests {
		if got := Size(tt.t, tt.v); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.t, got, tt.want)
		}
	}
}

func TestDeepSize(t *testing.T) {
	typ := &Type{Kind: List, Elem: lineType}
	v := val(t, typ, `[{"sku":"abc","qty":1,"note":"four"},{"sku":"de","qty":2}]`)
	if got, want := DeepSize(typ, v), 2*3*16+3+4+2; got != want {
		t.Errorf("got %d, want %d", got, want)
	}
	m := &Type{Kind: Map, Key: StringType, Elem: stringSet}
	if got, want := DeepSize(m, val(t, m, `{"ab":["c","def"]}`)), 32+2+32+4; got != want {
		t.Errorf("got %d, want %d", got, want)
	}
	if got := DeepSize(intList, ints(1, 2, 3)); got != 48 {
		t.Errorf("got %d", got)
	}
}

func TestEqualIsEqualText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t, 2)
		a, b := drawValue(t, typ), drawValue(t, typ)
		if !Equal(typ, a, a) || Equal(typ, a, b) != Equal(typ, b, a) {
			t.Fatal("equality is no equivalence")
		}
		enc := Encoder{byValue: true}
		same := bytes.Equal(enc.AppendJSON(nil, typ, a), enc.AppendJSON(nil, typ, b))
		if Equal(typ, a, b) != same {
			t.Fatalf("%s: %s and %s: got %v", typ, listText(typ, a), listText(typ, b), !same)
		}
	})
}

func TestCompareOrders(t *testing.T) {
	ordered := []*Type{BoolType, IntType, DecimalType, StringType, TimeType, DateType, DurationType, UUIDType, {Kind: Enum, Enum: testEnum}}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(ordered).Draw(t, "type")
		a, b, c := drawValue(t, typ), drawValue(t, typ), drawValue(t, typ)
		if Compare(typ, a, b) != -Compare(typ, b, a) || (Compare(typ, a, b) == 0) != Equal(typ, a, b) {
			t.Fatal("order and equality differ")
		}
		if Compare(typ, a, b) <= 0 && Compare(typ, b, c) <= 0 && Compare(typ, a, c) > 0 {
			t.Fatal("not transitive")
		}
	})
}

func TestZero(t *testing.T) {
	if got := string(AppendFields(nil, orderFields, ZeroOf(orderFields))); got !=
		`{"amount":0,"count":7,"lines":[],"stock":{},"slots":{},"tags":[],"at":null,"currency":"USD","extra":null,"ok":false,"ids":{}}` {
		t.Error(got)
	}
	noZero := &Type{Kind: Record, Record: &RecordType{Fields: []Field{{Name: "at", Type: TimeType}}}}
	if HasZero(noZero) || HasZero(UUIDType) || !HasZero(lineType) || !HasZero(optional(TimeType)) || !HasZero(pairList) {
		t.Error("HasZero is wrong")
	}
}

func TestCheckBound(t *testing.T) {
	deep := &Type{Kind: Map, Bound: 2, Key: &Type{Kind: String, Bound: 1}, Elem: &Type{Kind: List, Elem: optional(&Type{Kind: String, Bound: 2})}}
	decode := func(src string) V {
		free := &Type{Kind: Map, Key: StringType, Elem: &Type{Kind: List, Elem: optional(StringType)}}
		v, errs := DecodeValue(free, []byte(src), DecodeOptions{})
		if errs != nil {
			t.Fatal(errs)
		}
		return v
	}
	tests := []struct {
		src  string
		want bool
	}{
		{`{}`, true}, {`{"é":["éé",null]}`, true}, {`{"a":["abc"]}`, false}, {`{"ab":[]}`, false}, {`{"a":[],"b":[],"c":[]}`, false},
	}
	for _, tt := range tests {
		if got := CheckBound(deep, decode(tt.src)); got != tt.want {
			t.Errorf("%s: got %v", tt.src, got)
		}
	}
	line := MakeRecord([]V{MakeString("123456"), {}, None})
	if CheckBound(lineType, line) || CheckBound(&Type{Kind: List, Elem: lineType}, ListAppend(&Type{Kind: List, Elem: lineType}, V{}, line)) {
		t.Error("a record's field is over its bound")
	}
}

func TestTypeText(t *testing.T) {
	bounded := &Type{Kind: Map, Key: UUIDType, Elem: &Type{Kind: List, Elem: optional(lineType), Bound: 3}, Bound: 50}
	if got := bounded.String(); got != "map<uuid, list<Line?, 3>, 50>" {
		t.Error(got)
	}
	if got := (&Type{Kind: String, Bound: 200}).String() + " " + stringSet.String() + " " + intList.String() + " " + JSONType.String(); got != "string<200> set<string> list<int> json" {
		t.Error(got)
	}
	ordered := &Type{Kind: Enum, Enum: &EnumType{Name: "Level", Ordered: true, Members: []Member{{"low", "low"}, {"high", "HIGH"}}}}
	got := string(AppendFieldsShape(nil, []Field{{Name: "l", Type: ordered, HasDefault: true, Default: MakeInt(1)}, {Name: "x", Type: bounded}}))
	if want := `{l:Level ordered(low="low",high="HIGH")="HIGH";x:map<uuid, list<Line{sku:string<5>;qty:int;note:string?;}?, 3>, 50>;}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
