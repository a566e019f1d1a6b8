package bytecode

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/cloudlysis/aggregate/dsl/value"
)

var update = flag.Bool("update", false, "rewrite docs/bytecode.md and golden files")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale; go test ./dsl/bytecode -update rewrites it; got:\n%s", path, got)
	}
}

func TestDocsAreFresh(t *testing.T) { golden(t, "../../docs/bytecode.md", AppendDocs(nil)) }

func TestEveryOpcodeHasARow(t *testing.T) {
	seen := map[string]Op{}
	for o := range opCount {
		i := o.Info()
		if i.Name == "" || i.Doc == "" {
			t.Errorf("opcode %d has no name or no doc", o)
		}
		if other, is := seen[i.Name]; is {
			t.Errorf("opcodes %d and %d are both called %s", other, o, i.Name)
		}
		seen[i.Name] = o
	}
	if opCount.String() != "" {
		t.Error("the opcode after the last has a name")
	}
}

func TestSampleVerifies(t *testing.T) {
	fx, err := Analyze(sample())
	if err != nil {
		t.Fatal(err)
	}
	if fx.Depth != 1 {
		t.Errorf("got depth %d, want 1", fx.Depth)
	}
}

func TestEncodeDecode(t *testing.T) {
	p := sample()
	file := Encode(p)
	if !bytes.Equal(file, Encode(sample())) {
		t.Fatal("equal programs have different files")
	}
	q, err := Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if again := Encode(q); !bytes.Equal(file, again) {
		t.Error("a decoded program has another file")
	}
	if Hash(p) != Hash(q) || Fingerprint(p) != Fingerprint(q) {
		t.Error("a decoded program has another hash or fingerprint")
	}
	for i := range p.Consts {
		typ := p.Types[p.Slots[i]]
		want, got := value.AppendJSON(nil, typ, p.Consts[i]), value.AppendJSON(nil, q.Types[q.Slots[i]], q.Consts[i])
		if !bytes.Equal(got, want) {
			t.Errorf("constant %d: got %s, want %s", i, got, want)
		}
	}
}

func TestDisassemble(t *testing.T) {
	var b bytes.Buffer
	if err := Disassemble(&b, sample()); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/sample.asm", b.Bytes())
}

// sealed gives a file with its right checksum.
func sealed(body []byte) []byte {
	sum := sha256.Sum256(body)
	return append(body[:len(body):len(body)], sum[:]...)
}

func TestDecodeRefuses(t *testing.T) {
	file := Encode(sample())
	body := file[:len(file)-sha256.Size]
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "does not begin"},
		{"text", []byte(strings.Repeat("aggregate Account {}", 4)), "does not begin"},
		{"a flipped bit", append(append([]byte(nil), file[:50]...), append([]byte{file[50] ^ 1}, file[51:]...)...), "checksum"},
		{"another version", sealed(append(append([]byte(nil), body[:4]...), append([]byte{Version + 1}, body[5:]...)...)), "version 2, this program reads 1"},
		{"a tail", sealed(append(append([]byte(nil), body...), 0)), "behind the end"},
		{"cut off", sealed(body[:len(body)-3]), "cut off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(c.file)
			if err == nil || !errors.Is(err, ErrDecode) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// TestEveryCutIsRefused cuts the body at every byte: no prefix of a program is one.
func TestEveryCutIsRefused(t *testing.T) {
	file := Encode(sample())
	for n := len(magic) + 1; n < len(file)-sha256.Size; n++ {
		if _, err := Decode(sealed(file[:n])); err == nil {
			t.Fatalf("the first %d bytes are a program", n)
		}
	}
}

func TestFingerprint(t *testing.T) {
	base := Fingerprint(sample())
	for _, c := range []struct {
		name    string
		change  func(*Program)
		differs bool
	}{
		{"gas", func(p *Program) { p.Gas++; p.Chunks[2].Gas++ }, false},
		{"a command's rule", func(p *Program) { p.Chunks[2].Code[0] = Ins{OpMoveW, 0, p.Chunks[2].Code[1].A, 0, 0} }, false},
		{"source places", func(p *Program) { p.Chunks[1].Lines = nil; p.Files[0] = "other.agg" }, false},
		{"another constant before all", shiftSlots, false},
		{"another chunk before all", shiftChunks, false},
		{"a state field's default", func(p *Program) { p.State[2].Default = value.V{} }, true},
		{"the order of an enum", func(p *Program) { m := p.Enums[0].Members; m[0], m[1] = m[1], m[0] }, true},
		{"an apply", func(p *Program) { p.Chunks[1].Code[0].Op = OpSubI }, true},
		{"an apply's operands", func(p *Program) { p.Chunks[1].Code[0].C = p.StateBase }, true},
		{"an upcast", func(p *Program) { p.Chunks[3].Code[0] = Ins{OpMoveW, 0, p.Events[1].Base, 0, 0} }, true},
		{"an event's field", func(p *Program) { p.Events[1].Fields[0].Name = "m" }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := sample()
			c.change(p)
			if err := Verify(p); err != nil {
				t.Fatal(err)
			}
			if got := Fingerprint(p) != base; got != c.differs {
				t.Errorf("fingerprint differs: got %v, want %v", got, c.differs)
			}
			if Hash(p) == Hash(sample()) {
				t.Error("the hash does not differ")
			}
		})
	}
}

// shiftSlots puts a constant before all others, as another rule's text would.
func shiftSlots(p *Program) {
	p.Consts = append([]value.V{value.MakeInt(42)}, p.Consts...)
	p.Slots = append([]uint16{p.Slots[p.StateBase]}, p.Slots...)
	p.StateBase++
	p.CtxBase++
	for i := range p.Chunks {
		code := p.Chunks[i].Code
		for pc := range code {
			in := &code[pc]
			info := ops[in.Op]
			if info.A != None {
				in.A++
			}
			if k := info.B; k == Src || k == Window {
				in.B++
			}
			if info.C == Src {
				in.C++
			}
		}
	}
	bump := func(e *Eval) { e.Result++ }
	p.Commands[0].Base++
	p.Commands[0].Old[0].Slot++
	p.Invariants[0].Old[0].Slot++
	for i := range p.Events {
		p.Events[i].Base++
	}
	bump(&p.Derives[0].Eval)
	bump(&p.Invariants[0].Eval)
	bump(&p.Invariants[0].Shown[0].Eval)
	for _, w := range []*Where{&p.Commands[0].Wheres[0], &p.Wheres[0].Wheres[0]} {
		bump(&w.Eval)
		for i := range w.Params {
			w.Params[i]++
		}
	}
}

// shiftChunks puts a chunk before all others, as another function would.
func shiftChunks(p *Program) {
	p.Chunks = append([]Chunk{{Name: "fn new", Gas: 1, Code: []Ins{{Op: OpRet}}}}, p.Chunks...)
	for i := range p.Chunks {
		for pc := range p.Chunks[i].Code {
			if in := &p.Chunks[i].Code[pc]; in.Op == OpCall {
				in.C++
			}
		}
	}
	p.Commands[0].Decide++
	p.Commands[0].Wheres[0].Chunk++
	p.Wheres[0].Wheres[0].Chunk++
	p.Events[0].Upcast++
	p.Events[1].Apply++
	p.Derives[0].Chunk++
	p.Invariants[0].Chunk++
	p.Invariants[0].Shown[0].Chunk++
}
