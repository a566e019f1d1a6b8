package bytecode

import "fmt"

// AppendDocs appends docs/bytecode.md, which is the table of opcodes for people.
func AppendDocs(dst []byte) []byte {
	dst = append(dst, `# Bytecode

Made from the table in dsl/bytecode/table.go by `+"`go test ./dsl/bytecode -update`"+`. The package comment of dsl/bytecode has the
grammar of the file, dsl/bytecode/op.go how gas is charged and what the verifier asks for.

An instruction has an opcode, a small operand n and the operands a, b, c; x is the operand in the ext word behind it. Slots are shown as
names of what they hold, so `+"`a := b + c`"+` reads the slots b and c and writes a. The gas of an opcode is part of the sum of its block;
what it is charged for data comes on top, before it works.

| opcode | n | a | b | c | x | gas | data | meaning |
|---|---|---|---|---|---|---|---|---|
`...)
	for _, i := range ops {
		dst = fmt.Appendf(dst, "| `%s` | %s | %s | %s | %s | %s | %d | %s | %s |\n", i.Name, i.N, i.A, i.B, i.C, i.X, i.Gas, i.Data, i.Doc)
	}
	dst = append(dst, `
| operand | meaning |
|---|---|
| dst, src | a slot that is written, read |
| loop | the slot of a loop's counter; what the loop sets follows it |
| window | the first of several slots that are read |
| number, cell, field | a count, the cell of an element, the field of a record |
| target, chunk, event, code, invariant, type, site | an index into the chunk's instructions or a table of the program |
| gas, mode, flag, own | charged when the jump is not taken; how to round; 1 when a message is given; 1 when only a's own length is checked |

| data | gas |
|---|---|
| elements, C | 1 for each |
| the search | the bits of the container's length; times the bytes of a text key / 16, besides |
| cells copied | cells / 16 of the container, and the search in maps and sets |
| cells before | cells / 256 of the list |
| bytes made | bytes / 16 |
| what is compared | bytes / 16 of the smaller text; 1 for each element and field of a container or record, if the lengths are equal |
| what is looked at | as for a comparison, when a is longer than its bound in bytes or its elements have bounds |
| the sort | elements of b * the bits of their number, and cells / 16 of b and c |
| the call | what value.Cost tells of the builtin |
`...)
	return dst
}
