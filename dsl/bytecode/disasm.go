package bytecode

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// Disassemble writes a verified program for people: its tables, and its code with the names of
// slots where they have one.
func Disassemble(w io.Writer, p *Program) error {
	d := &disassembler{w: bufio.NewWriter(w), p: p, v: &verifier{p: p}}
	d.names = d.shared()
	fmt.Fprintf(d.w, "program %s: %d slots, %d constants, gas %d\n", p.Name, len(p.Slots), len(p.Consts), p.Gas)
	d.tables()
	for i := range p.Chunks {
		d.chunk(i)
	}
	return d.w.Flush()
}

type disassembler struct {
	w     *bufio.Writer
	p     *Program
	v     *verifier
	names map[int]string
	local map[int]string // of the chunk at hand
}

// shared names the slots whose meaning is the same everywhere. Fields of commands and events
// have a name if no two of them share the slot.
func (d *disassembler) shared() map[int]string {
	names, owners := map[int]string{}, map[int]int{}
	put := func(base uint16, fields []value.Field, prefix string) {
		for i := range fields {
			s := int(base) + i
			names[s] = prefix + fields[i].Name
			owners[s]++
		}
	}
	for i := range d.p.Commands {
		put(d.p.Commands[i].Base, d.p.Commands[i].Fields, "cmd.")
	}
	for i := range d.p.Events {
		e := &d.p.Events[i]
		put(e.Base, e.Fields, eventName(e)+".")
	}
	for s, n := range owners {
		if n > 1 {
			delete(names, s)
		}
	}
	put(d.p.StateBase, d.p.State, "state.")
	for i, n := range [7]string{"now", "aggregate_id", "command_id", "tenant", "version", "meta", "roles"} {
		names[int(d.p.CtxBase)+i] = "ctx." + n
	}
	for i, c := range d.p.Consts {
		names[i] = d.literal(d.v.slotType(i), c)
	}
	return names
}

func eventName(e *Event) string {
	if e.Version == 1 {
		return e.Name
	}
	return fmt.Sprintf("%s@%d", e.Name, e.Version)
}

// maxLiteral is how much of a long constant is shown.
const maxLiteral = 60

func (d *disassembler) literal(t *value.Type, v value.V) string {
	s := string(value.AppendJSON(nil, t, v))
	if t.Kind == value.Enum {
		s = strings.Trim(s, `"`)
	}
	if len(s) > maxLiteral {
		s = s[:maxLiteral] + "…"
	}
	return s
}

func (d *disassembler) tables() {
	p := d.p
	d.fields("state", p.StateBase, p.State)
	for i := range p.Commands {
		c := &p.Commands[i]
		d.fields("command "+c.Name, c.Base, c.Fields)
		fmt.Fprintf(d.w, "  decide %s, reads %s, writes %s\n", d.chunkName(c.Decide), d.stateNames(c.Reads), d.stateNames(c.Writes))
		for _, o := range c.Old {
			fmt.Fprintf(d.w, "  old.%s in r%d\n", p.State[o.Field].Name, o.Slot)
		}
		for _, w := range c.Wheres {
			fmt.Fprintf(d.w, "  where %s in %s\n", w.Text, d.chunkName(w.Chunk))
		}
	}
	for i := range p.Events {
		e := &p.Events[i]
		d.fields("event "+eventName(e), e.Base, e.Fields)
		if e.Current {
			fmt.Fprintf(d.w, "  apply %s, reads %s, writes %s\n", d.chunkName(e.Apply), d.stateNames(e.Reads), d.stateNames(e.Writes))
		} else {
			fmt.Fprintf(d.w, "  upcast %s to %s\n", d.chunkName(e.Upcast), eventName(&p.Events[e.Next]))
		}
	}
	for i := range p.Derives {
		fmt.Fprintf(d.w, "derive %s: %s in %s, reads %s\n", p.Derives[i].Name, p.Types[p.Derives[i].Type], d.chunkName(p.Derives[i].Chunk), d.stateNames(p.Derives[i].Reads))
	}
	for i := range p.Invariants {
		fmt.Fprintf(d.w, "invariant %d %s: %s\n", i, p.Invariants[i].Name, p.Invariants[i].Text)
	}
}

func (d *disassembler) fields(what string, base uint16, fields []value.Field) {
	fmt.Fprintln(d.w, what)
	for i := range fields {
		f := &fields[i]
		fmt.Fprintf(d.w, "  r%d %s: %s", int(base)+i, f.Name, f.Type)
		if f.HasDefault {
			fmt.Fprintf(d.w, " = %s", d.literal(f.Type, f.Default))
		}
		fmt.Fprintln(d.w)
	}
}

func (d *disassembler) chunkName(c uint16) string {
	return fmt.Sprintf("chunk %d", c)
}

func (d *disassembler) stateNames(list []uint16) string {
	if len(list) == 0 {
		return "nothing"
	}
	names := make([]string, len(list))
	for i, f := range list {
		names[i] = d.p.State[f].Name
	}
	return strings.Join(names, " ")
}

func (d *disassembler) chunk(n int) {
	c := &d.p.Chunks[n]
	fmt.Fprintf(d.w, "\nchunk %d %s, gas %d\n", n, c.Name, c.Gas)
	d.local = map[int]string{}
	for i := range d.p.Commands {
		if cmd := &d.p.Commands[i]; int(cmd.Decide) == n {
			for f := range cmd.Fields {
				d.local[int(cmd.Base)+f] = "cmd." + cmd.Fields[f].Name
			}
		}
	}
	for i := range d.p.Events {
		if e := &d.p.Events[i]; e.Current && int(e.Apply) == n {
			for f := range e.Fields {
				d.local[int(e.Base)+f] = "event." + e.Fields[f].Name
			}
		}
	}
	targets := map[int]bool{}
	for _, in := range c.Code {
		if in.Op < opCount && ops[in.Op].C == Target {
			targets[int(in.C)] = true
		}
	}
	for pc := 0; pc < len(c.Code); pc++ {
		mark := " "
		if targets[pc] {
			mark = ">"
		}
		fmt.Fprintf(d.w, "%s%5d  %s%s\n", mark, pc, d.instruction(c.Code, pc), d.place(c, pc))
		if c.Code[pc].Op.HasExt() {
			pc++
		}
	}
}

// place is the source place of an instruction if it is another than that before.
func (d *disassembler) place(c *Chunk, pc int) string {
	for _, l := range c.Lines {
		if int(l.PC) == pc {
			what := ""
			if l.Apply {
				what = " apply"
			}
			return fmt.Sprintf("  ; %s:%d:%d%s", d.p.Files[l.File], l.Line, l.Column, what)
		}
	}
	return ""
}

func (d *disassembler) instruction(code []Ins, pc int) string {
	in := code[pc]
	info := ops[in.Op]
	kinds, operands := []Kind{info.A, info.B, info.C}, []uint16{in.A, in.B, in.C}
	if info.X != None {
		kinds, operands = append(kinds, info.X), append(operands, code[pc+1].A)
	}
	var args []string
	for i, k := range kinds {
		if k == None || k == Src && info.N == Flag && in.N == 0 {
			continue
		}
		args = append(args, d.operand(k, operands[i], in))
	}
	switch {
	case info.N == Round:
		args = append(args, modeName(in.N))
	case info.N == Charge && in.N > 0:
		args = append(args, fmt.Sprintf("+%d", in.N))
	case info.N == Own && in.N == 1:
		args = append(args, "own")
	}
	return fmt.Sprintf("%-11s %s", info.Name, strings.Join(args, ", "))
}

func (d *disassembler) operand(k Kind, x uint16, in Ins) string {
	p := d.p
	switch k {
	case Dst, Src, Loop:
		return d.slot(int(x))
	case Window:
		switch n := d.v.windowLen(in); n {
		case 0:
			return "()"
		case 1:
			return d.slot(int(x))
		default:
			return fmt.Sprintf("r%d…r%d", x, int(x)+n-1)
		}
	case Target:
		return fmt.Sprintf("→%d", x)
	case Callee:
		return fmt.Sprintf("%d %q", x, p.Chunks[x].Name)
	case EventOf:
		return eventName(&p.Events[x])
	case CodeOf:
		return p.Codes[x]
	case InvariantOf:
		return p.Invariants[x].Name
	case TypeOf:
		return p.Types[x].String()
	case SiteOf:
		return p.Calls[x].Builtin.String()
	}
	return fmt.Sprint(x)
}

func (d *disassembler) slot(s int) string {
	if n, ok := d.local[s]; ok {
		return n
	}
	if n, ok := d.names[s]; ok {
		return n
	}
	return fmt.Sprintf("r%d", s)
}
