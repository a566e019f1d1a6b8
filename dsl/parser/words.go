package parser

var declWords = []string{
	"aggregate", "apply", "command", "const", "decide", "derive", "enum", "event", "final", "fn", "gas",
	"guard", "import", "index", "invariant", "ordered", "record", "roles", "snapshot", "state", "test", "upcast",
}

var stmtWords = []string{
	"check", "emit", "for", "if", "let", "match", "nothing", "reject", "remove", "require", "return", "var",
}

var stepWords = []string{"as", "at", "given", "let", "repeat", "then", "when"}

// sameDecl are words of other languages whose declaration looks like ours.
var sameDecl = map[string]string{
	"function": "fn", "func": "fn", "def": "fn", "fun": "fn", "struct": "record", "role": "roles",
}

// foreignDecl is the hint for a declaration's word of another language.
func foreignDecl(word string) string {
	switch word {
	case "class", "entity", "actor", "Aggregate", "module":
		return "write aggregate Name { … }"
	case "struct", "type", "Record", "interface", "data":
		return "write record Name { … }, or enum Name { … }"
	case "function", "func", "def", "fun", "method":
		return "write fn name(a: T): R = expression"
	case "handle", "handler", "on", "process":
		return "write decide command { … } or apply event { … }"
	case "let", "var", "val", "constant":
		return "write const name: type = value"
	case "rule", "assert", "ensure":
		return "write invariant name: condition"
	case "projection", "view":
		return "write derive name: type = expression"
	case "use", "include", "require", "package", "from":
		return `write import "other.agg"`
	case "migrate", "migration":
		return "write upcast event @1 -> @2 { … }"
	case "role":
		return "write roles a, b"
	case "fields", "attributes":
		return "write state { … }"
	}
	return ""
}

// foreignStmt is the hint for a statement's word of another language.
func foreignStmt(word string) string {
	switch word {
	case "while", "loop", "do", "until", "foreach":
		return "loops run over data: for x in xs { … } or for i in range(a, b) { … }"
	case "switch", "case", "when":
		return "write match e { a => { … } _ => { … } }"
	case "throw", "raise", "fail", "error", "panic", "abort":
		return `write reject code "message"`
	case "unless":
		return "write if not condition { … }"
	case "assert", "ensure", "check_that", "expect", "guard", "precondition":
		return "write require condition else code"
	case "elif", "elsif", "elseif":
		return "write else if"
	case "delete", "unset", "del":
		return "write remove m[k]"
	case "break", "continue":
		return "loops run to their end; put the condition into an if"
	case "const", "val", "final", "mut":
		return "write let name = value, or var name = value if it changes"
	case "raise_event", "publish", "append", "dispatch", "record_event":
		return "write emit event { … }"
	case "skip", "pass", "noop", "accept":
		return "write nothing"
	case "print", "log", "console", "printf":
		return "a rule has no output; events are its result"
	case "set":
		return "write path = value"
	case "try", "catch", "finally":
		return "a fault undoes the whole command; there is nothing to catch"
	case "await", "async", "go", "spawn":
		return "a rule is one step and waits for nothing"
	}
	return ""
}

// foreignOperand is what other languages write for a value, and what is written here.
func foreignOperand(word string) (hint, mend string) {
	switch word {
	case "null", "nil", "undefined", "None", "NULL", "Null":
		return "write none", "none"
	case "True", "TRUE":
		return "write true", "true"
	case "False", "FALSE":
		return "write false", "false"
	case "this", "self":
		return "write state", "state"
	}
	return "", ""
}

// nearest finds the word within two edits of word (one for short ones), or "".
func nearest(word string, words []string) string {
	best, at := "", 3
	if len(word) <= 4 {
		at = 2
	}
	for _, w := range words {
		if d := distance(word, w, at); d < at {
			best, at = w, d
		}
	}
	return best
}

// distance counts edits (insert, delete, replace, swap of neighbours); limit is "too many".
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 64 {
		return limit
	}
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
