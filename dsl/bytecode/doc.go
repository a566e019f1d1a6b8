// Package bytecode is what manifests compile to: the table of opcodes, programs, their files,
// the verifier, the disassembler and the fingerprint that snapshots rest on.
//
// The model: a [Program] has one frame of slots, each of one type for its life: constants, the
// state, ctx, and what rules use besides. Instructions are eight bytes and name slots, so there
// are no loads and stores. A chunk is the code of one rule or function; chunks call one another
// without recursion. [Verify] proves of every chunk that the machine (package engine/vm) may run
// it without checks: see [Analyze]. op.go tells what each opcode does; docs/bytecode.md is made
// from the table.
//
// # The file
//
// n is an unsigned LEB128 number, z a zigzag one, s a text (n bytes and those), X* a list
// (n, then so many X). sum is the sha256 of all before it.
//
//	file      = "AGGB" version:n types frame rules sum
//	types     = enum* record* type* preset…          -- presets of the records' fields, in order
//	enum      = name:s ordered:n (name:s wire:s)*
//	record    = name:s (name:s type)*
//	type      = kind:n [enum:n | record:n | bound:n | bound:n [key:type] elem:type | elem:type]
//	preset    = 0 | 1 value
//	field     = name:s type preset
//	value     = z | s | 16 bytes | 0 | 1 value | value…  -- by its type; decimals, times and json as text
//	          | n (key:value? elem:value?)…              -- containers, in key order
//	frame     = name:s slot:n* constants:(n value…) statebase:n field* ctxbase:n
//	rules     = files:s* codes:s* roles:s* creates:n snapshot:n gas:n chunk* site* command* event*
//	            derive* invariant* index* wheres* test:eval* final:n result:n reads:n* refusal
//	chunk     = name:s gas:n instruction:(8 bytes)* line*
//	line      = pc:n file:n line:n column:n apply:n
//	site      = builtin:n args:n* result:n mode:n pattern:s path:s* keys:n* desc:n
//	eval      = chunk:n result:n reads:n*
//	refusal   = code:s message:eval
//	where     = field:n params:n* eval text:s
//	command   = name:s creates:n refusal by:s* field* base:n where* decide:n reads:n* writes:n* old*
//	event     = name:s version:n current:n field* base:n apply:n reads:n* writes:n* upcast:n next:n
//	old       = field:n slot:n
//	derive    = name:s type:n eval
//	invariant = name:s text:s eval old* (text:s eval)*
//	index     = path:s type:n field:n fields:n* derive:n
//	wheres    = record:n where*
//
// An instruction is opcode, N, and A, B, C in two bytes each, low byte first. [Decode] refuses
// every other version, a wrong sum, and what [Verify] refuses.
package bytecode
