package parser_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate/dsl/ast"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/parser"
)

// parse gives the tree of src and its findings as "line:col code message".
func parse(name, src string) (*ast.File, []string) {
	var bag diag.Bag
	file := parser.ParseFile(diag.NewFile(name, []byte(src)), &bag)
	var out []string
	for _, d := range bag.Sorted() {
		at := d.Span.StartPosition()
		out = append(out, fmt.Sprintf("%d:%d %s %s", at.Line, at.Column, d.Code, d.Message))
	}
	return file, out
}

func TestExampleManifest(t *testing.T) {
	src, err := os.ReadFile("testdata/account.agg")
	if err != nil {
		t.Fatal(err)
	}
	file, errs := parse("account.agg", string(src))
	for _, e := range errs {
		t.Error(e)
	}
	if len(file.Decls) != 3 {
		t.Fatalf("got %d declarations, want an aggregate and two tests", len(file.Decls))
	}
	if n := len(file.Decls[0].(*ast.Aggregate).Decls); n != 31 {
		t.Errorf("got %d declarations in the aggregate, want 31", n)
	}
}

// TestOneMistake holds the parser to one finding at one place for what people get wrong.
func TestOneMistake(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"&&", "const a: bool = b && c", "1:19 AGG1024"},
		{"||", "const a: bool = b || c", "1:19 AGG1024"},
		{"!", "const a: bool = !b", "1:17 AGG1024"},
		{"===", "const a: bool = b === c", "1:19 AGG1024"},
		{"!==", "const a: bool = b !== c", "1:19 AGG1024"},
		{"<>", "const a: bool = b <> c", "1:19 AGG1024"},
		{"**", "const a: int = b ** c", "1:18 AGG1024"},
		{"ternary", "const a: int = b ? 1 : 2", "1:18 AGG1024"},
		{"?.", "const a: int = b?.c", "1:17 AGG1024"},
		{"is not none", "const a: bool = b is not none", "1:22 AGG1024"},
		{"null", "const a: int? = null", "1:17 AGG1025"},
		{"True", "const a: bool = True", "1:17 AGG1025"},
		{"semicolon", "const a: int = 1; const b: int = 2", "1:17 AGG1026"},
		{"quotes", "const a: string = 'text'", "1:19 AGG1023"},
		{"curly quotes", "const a: string = “text”", "1:19 AGG1013"},
		{"not in", "const a: bool = not b not in c", "1:23 AGG1030"},
		{"block comment", "/* a\n b */ const a: int = 1", "1:1 AGG1022"},
		{"hash comment", "# a b c\nconst a: int = 1", "1:1 AGG1013"},
		{".5", "const a: decimal = .5 + 1", "1:20 AGG1017"},
		{"1.", "const a: decimal = 1. + 1", "1:20 AGG1017"},
		{"1.5h", "const a: duration = 1.5h", "1:21 AGG1018"},
		{"1m1h", "const a: duration = 1m1h", "1:21 AGG1018"},
		{"duration too long", "const a: duration = 200000d", "1:21 AGG1018"},
		{"12abc", "const a: int = 12abc", "1:16 AGG1016"},
		{"hex", "const a: int = 0x1F", "1:16 AGG1016"},
		{"exponent", "const a: int = 1e5", "1:16 AGG1016"},
		{"1__0", "const a: int = 1__0", "1:16 AGG1016"},
		{"_x", "const a: int = _x", "1:16 AGG1012"},
		{"a < b < c", "const a: bool = b < c < d and e", "1:23 AGG1029"},
		{"a == b is none", "const a: bool = b == c is none", "1:24 AGG1029"},
		{"a == not b", "const a: bool = b == not c", "1:22 AGG1031"},
		{"if operand", "const a: int = 1 + if b then c else d", "1:20 AGG1031"},
		{"no else", "const a: int = if b then c\nconst d: int = 1", "1:27 AGG1032"},
		{"set literal", "const a: set<int> = {1, 2}", "1:21 AGG1049"},
		{"range", "const a: list<int> = 1..3", "1:23 AGG1052"},
		{"range in a comprehension", "const a: list<int> = [x for x in 1..3 if x > 1]", "1:35 AGG1052"},
		{"tuple", "const a: int = (1, 2)", "1:18 AGG1001"},
		{"method", "const a: int = b.len()", "1:18 AGG1048"},
		{"missing comma", "const a: list<int> = [1 2]", "1:24 AGG1028"},
		{"leading comma", "const a: list<int> = [, 1]", "1:23 AGG1027"},
		{"double comma", "const a: list<int> = [1,, 2]", "1:25 AGG1027"},
		{"two fors", "const a: list<int> = [x for x in y for z in x]", "1:36 AGG1054"},
		{"entry beside a comprehension", "const a: map<int, int> = {x: x for x in y, 1: 2}", "1:44 AGG1054"},
		{"argument beside a comprehension", "const a: int = f(x for x in y, 2)", "1:18 AGG1054"},
		{"element beside a comprehension", "const a: list<int> = [x for x in y, 2]", "1:35 AGG1002"},
		{"blank", "const a: int = _", "1:16 AGG1053"},
		{"list type", "const a: []int = 1", "1:10 AGG1001"},
		{"map of one", "const a: map<int> = 1", "1:10 AGG1001"},
		{"T??", "const a: int?? = 1", "1:13 AGG1040"},
		{"no type", "const a = 1", "1:8 AGG1039"},
		{"no value", "const a: int\nconst b: int = 1", "1:13 AGG1057"},
		{"small type", "enum status { a }", "1:6 AGG1010"},
		{"capital name", "fn F(): int = 1", "1:4 AGG1011"},
		{"reserved", "fn where(): int = 1", "1:4 AGG1007"},
		{"root", "fn f(old: int): int = 1", "1:6 AGG1009"},
		{"statement word", "fn f(emit: int): int = 1", "1:6 AGG1008"},
		{"no colon", "record R { a int, b: int }", "1:13 AGG1039"},
		{"sealed", "record R { a: string? sealed by cmd.person, b: int }", "1:23 AGG1047"},
		{"arrow result", "fn f() -> int = 1", "1:8 AGG1001"},
		{"class", "class Foo { a: int }\nconst a: int = 1", "1:1 AGG1003"},
		{"stray }", "const a: int = 1 }\nconst b: int = 1", "1:18 AGG1001"},
		{"late import", "const a: int = 1\nimport \"b.agg\"", "2:1 AGG1042"},
		{"roles comma", "aggregate A { roles a, b,\n const c: int = 1 }", "1:26 AGG1027"},
		{"swallowed declaration", "fn f(): int = 1 +\nrecord R { a: int }", "1:18 AGG1005"},
		{"bidi in comment", "// a \u202e b", "1:6 AGG1014"},
		{"empty interpolation", `const a: string = "a {} b"`, "1:22 AGG1021"},
		{"brace in string", `const a: string = "a { b"`, "1:19 AGG1021"},
		{"brace at the end", `const a: string = "a {b`, "1:19 AGG1021"},
		{"regex in string", `const a: string = "[0-9]{2,3}"`, "1:27 AGG1021"},
		{"no end of string", "const a: string = \"abc\nconst b: int = 1", "1:19 AGG1019"},
		{"escape", `const a: string = "\d"`, "1:20 AGG1020"},
		{"surrogate", `const a: string = "\u{d800}"`, "1:20 AGG1020"},
		{"too deep", "const a: int = " + strings.Repeat("(", 101), "1:116 AGG3090"},
		{"too many nots", "const a: bool = " + strings.Repeat("not ", 2000) + "b", "1:4017 AGG3090"},
		{"too long a chain", "const a: int = 1" + strings.Repeat(" + 1", 2000), "1:4018 AGG3090"},
		{"too many ifs", "fn f(): int { if a {}" + strings.Repeat(" else if a {}", 2000) + "}", "1:12992 AGG3090"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, errs := parse("a.agg", tt.src)
			if len(errs) != 1 || !strings.HasPrefix(errs[0], tt.want+" ") {
				t.Errorf("got %q, want one %s", errs, tt.want)
			}
		})
	}
}

// TestOneMistakeInARule is TestOneMistake for statements; a second statement must survive.
func TestOneMistakeInARule(t *testing.T) {
	tests := []struct{ name, stmt, want string }{
		{"x++", "x++", "3:2 AGG1024"},
		{"x--", "x--", "3:2 AGG1024"},
		{"/=", "x /= 2", "3:3 AGG1024"},
		{"==", "x == 2", "3:1 AGG1004"},
		{":=", "x := 2", "3:1 AGG1004"},
		{"let :=", "let x := 2", "3:7 AGG1001"},
		{"= in a condition", "require x = 2 else bad", "3:11 AGG1055"},
		{"= in an if", "if x = 2 { nothing }", "3:6 AGG1055"},
		{"no braces", "emit e", "3:7 AGG1035"},
		{"parentheses", "emit e(1)", "3:7 AGG1035"},
		{"= in emit", "emit e { a = 1 }", "3:12 AGG1001"},
		{"shorthand", "emit e { a, b: 1 }", "3:11 AGG1057"},
		{"two spreads", "emit e { ..a ..b }", "3:14 AGG1043"},
		{"no else", "require x", "3:10 AGG1032"},
		{"else reject", "require x else reject bad", "3:16 AGG1001"},
		{"else block", "require x else { reject bad }", "3:15 AGG1034"},
		{"no code", "reject", "3:7 AGG1034"},
		{"no code but a message", `reject "no"`, "3:7 AGG1034"},
		{"capital code", "reject Bad", "3:8 AGG1011"},
		{"nothing =", "nothing = 1", "3:1 AGG1036"},
		{"emit =", "emit = 1", "3:1 AGG1008"},
		{"while", "while x { emit e {} }", "3:1 AGG1004"},
		{"emitt", "emitt e {}", "3:1 AGG1004"},
		{"throw", `throw "bad"`, "3:1 AGG1004"},
		{"call", "can_pay(1)", "3:1 AGG1004"},
		{"elif", "if x { nothing } elif y { nothing }", "3:18 AGG1025"},
		{"then", "if x then { nothing }", "3:6 AGG1001"},
		{"stray else", "else { nothing }", "3:1 AGG1004"},
		{"case", "match x { case a => {} }", "3:11 AGG1025"},
		{"no braces in an arm", "match x { a => nothing }", "3:15 AGG1035"},
		{"pattern", "match x { a + 1 => {} }", "3:11 AGG1050"},
		{"optional target", "m[1]? = 2", "3:1 AGG1041"},
		{"optional remove", "remove m[1]?", "3:8 AGG1041"},
		{"remove a name", "remove m", "3:8 AGG1041"},
		{"comma", "nothing,", "3:8 AGG1027"},
		{"missing operand", "let x =", "3:8 AGG1005"},
		{"missing bracket", "let x = f(1, [2)", "3:16 AGG1002"},
		{"let without a name", "let = 3", "3:4 AGG1006"},
		{"for without in", "for x of y { nothing }", "3:7 AGG1001"},
		{"range as a source", "for i in 1..3 { nothing }", "3:11 AGG1052"},
		{"range as a value", "let x = 1..3", "3:10 AGG1052"},
		{"for with parentheses", "for (x in y) { nothing }", "3:5 AGG1001"},
		{"declaration without }", "if x {", "3:7 AGG1002"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, errs := parse("a.agg", "aggregate A {\ndecide c {\n"+tt.stmt+"\nemit f {\n}\n}\nstate { n m }\n}")
			// The second mistake, in another declaration, must be found as well.
			last := "7:10 AGG1039"
			if tt.name == "declaration without }" {
				if len(errs) != 2 || !strings.HasPrefix(errs[1], last) || !strings.HasPrefix(errs[0], "6:2 AGG1002") {
					t.Errorf("got %q, want the missing } before state and %s", errs, last)
				}
				return
			}
			if len(errs) != 2 || !strings.HasPrefix(errs[0], tt.want+" ") || !strings.HasPrefix(errs[1], last) {
				t.Errorf("got %q, want %s and %s", errs, tt.want, last)
			}
		})
	}
}

// TestTwelveMistakes: all are reported in one run, each on its line, and nothing else.
func TestTwelveMistakes(t *testing.T) {
	src, err := os.ReadFile("testdata/twelve.agg")
	if err != nil {
		t.Fatal(err)
	}
	_, errs := parse("twelve.agg", string(src))
	var want []int
	for i, line := range strings.Split(string(src), "\n") {
		if strings.Contains(line, "// ERROR") {
			want = append(want, i+1)
		}
	}
	if len(want) != 12 || len(errs) != 12 {
		t.Fatalf("got %d findings for %d marks:\n%s", len(errs), len(want), strings.Join(errs, "\n"))
	}
	for i, e := range errs {
		if !strings.HasPrefix(e, fmt.Sprintf("%d:", want[i])) {
			t.Errorf("got %s, want line %d", e, want[i])
		}
	}
}

// TestHostileFiles: whatever comes in is refused in time and without a crash.
func TestHostileFiles(t *testing.T) {
	const size = 1 << 20
	all := func(s string) string { return strings.Repeat(s, size/len(s)) }
	fill := func(s string) string { return strings.Repeat(s, size/4/len(s)) }
	tests := []struct{ name, src string }{
		{"(", all("(")}, {"[", all("[")}, {"{", all("{")}, {`"{`, all(`"{`)}, {"nots", "const a: bool = " + fill("not ")[20:]},
		{"minus", "const a: int = " + fill("- ")[20:]}, {"plus", "const a: int = 1" + fill("+1")[20:]}, {"dots", "const a: int = a" + fill(".a")[20:]},
		{"else if", "fn f(): int { if a {}" + fill(" else if a {}")[40:]}, {"??", "const a: int = 1" + fill("??1")[20:]},
		{"quotes", fill(`"`)}, {"quoted lines", fill("\"\n")}, {"}", fill("}")}, {")", fill(")")}, {"words", fill("a ")}, {"lines", fill("a\n")},
		{"bad characters", fill("#\n")}, {"not utf-8", fill("\xff")}, {"nul", fill("\x00")}, {"commas", fill(",")}, {"slashes", fill("/ ")},
		{"open comment", fill("/*")}, {"optional", "const a: int" + fill("?")[20:]}, {"types", "const a: " + fill("list<")[20:]},
		{"emits", "aggregate A { decide c { x = {" + fill("emit a\n")[40:]}, {"matches", "const a: bool = " + fill(`matches(a,"{`)[20:]},
		{"one line", "const a: int = " + fill("f(,")[20:]}, {"members", "enum E {" + fill("a=")[20:]}, {"versions", fill("event a @ ")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, errs := parse("a.agg", tt.src)
			if len(errs) == 0 {
				t.Error("got no error")
			}
			if len(errs) > 1100 {
				t.Errorf("got %d errors", len(errs))
			}
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("it took %s", d)
			}
		})
	}
	if _, errs := parse("a.agg", strings.Repeat(" ", size+1)); len(errs) != 1 || !strings.Contains(errs[0], string(diag.FileTooLarge)) {
		t.Errorf("a file of more than 1 MB: got %q", errs)
	}
}

// TestTooManyErrors: a file that is no manifest ends in one last finding that says so.
func TestTooManyErrors(t *testing.T) {
	for _, line := range []string{"const a = 1\n", "const a: int = 007\n"} {
		_, errs := parse("a.agg", strings.Repeat(line, 600))
		if len(errs) != 501 || !strings.Contains(errs[500], string(diag.TooManyErrors)) {
			t.Errorf("got %d findings, the last %q", len(errs), errs[len(errs)-1])
		}
	}
}

// TestByteOrderMarkAndCRLF: both are white space.
func TestByteOrderMarkAndCRLF(t *testing.T) {
	file, errs := parse("a.agg", "\ufeff/// doc\r\nconst a: int = 1 // b\r\n")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	c := file.Decls[0].(*ast.Const)
	if c.Doc != "doc" || len(file.Comments) != 2 || file.Comments[1].Text != "// b" {
		t.Errorf("got doc %q and comments %+v", c.Doc, file.Comments)
	}
}

// TestSpans: the place of a node is its text.
func TestSpans(t *testing.T) {
	file, errs := parse("a.agg", "fn f(a: int): list<int>? = [a + 1, -2]  // c\nconst b: list<int>= []\n")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	f := file.Decls[0].(*ast.Fn)
	list := f.Expr.(*ast.ListLit)
	c := file.Decls[1].(*ast.Const)
	for _, tt := range []struct {
		node ast.Node
		want string
	}{
		{f, "fn f(a: int): list<int>? = [a + 1, -2]"},
		{f.Name, "f"},
		{f.Params[0], "a: int"},
		{f.Result, "list<int>?"},
		{list, "[a + 1, -2]"},
		{list.Elems[0], "a + 1"},
		{list.Elems[1], "-2"},
		{c.Type, "list<int>"},
		{c.Value, "[]"},
		{file.Comments[0], "// c"},
	} {
		if got := tt.node.Pos().Text(); got != tt.want {
			t.Errorf("got the place of %q, want that of %q", got, tt.want)
		}
	}
}
