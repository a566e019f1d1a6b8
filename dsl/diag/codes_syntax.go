package diag

import "strings"

// inRule wraps statements into the smallest manifest that can hold them; they end the rule.
func inRule(statements ...string) string {
	return "aggregate A {\n  state { n: int }\n  command c {}\n  decide c {\n    " +
		strings.Join(statements, "\n    ") + "\n  }\n}\n"
}

// inAggregate wraps declarations into an aggregate with a state.
func inAggregate(declarations ...string) string {
	return "aggregate A {\n  state { n: int }\n  " + strings.Join(declarations, "\n  ") + "\n}\n"
}

// inTest wraps steps into a test of an aggregate with one command that changes nothing.
func inTest(steps ...string) string {
	return inAggregate("command c {}", "decide c { nothing }") +
		"test \"t\" for A {\n  " + strings.Join(steps, "\n  ") + "\n}\n"
}

// syntaxCodes documents what the lexer and the parser report.
func syntaxCodes() []Info {
	return append(append(tokenCodes(), declarationCodes()...), append(statementCodes(), expressionCodes()...)...)
}

// tokenCodes documents what the lexer reports, and the limits of a file.
func tokenCodes() []Info {
	return []Info{
		{BadCharacter, "unexpected character", Error,
			"Occurs when a character stands outside of strings and comments that no token begins with. Names are ASCII: a-z, A-Z, 0-9 and _.",
			"const größe: int = 1\n"},
		{BidiCharacter, "invisible direction character", Error,
			"Occurs when a Unicode control character that changes the direction of text stands anywhere in a file, since what is read would not be what is run. In a string write it as \\u{202e}.",
			"const a: string = \"x\u202ey\"\n"},
		{InvalidUTF8, "not UTF-8", Error,
			"Occurs when the file is not encoded in UTF-8.",
			"const a: string = \"\xff\"\n"},
		{BadNumber, "malformed number", Error,
			"Occurs when a number begins with a zero, has an _ that does not stand between two digits, has an exponent, or runs into letters.",
			"const a: int = 007\n"},
		{BadDecimal, "malformed decimal", Error,
			"Occurs when a decimal has digits on one side of its point only: write 0.5 and 1.0.",
			"const a: decimal = .5\n"},
		{BadDuration, "malformed duration", Error,
			"Occurs when a duration is not made of whole numbers with the units d h m s ms us ns, the largest first and each at most once, as in 1h30m, or is longer than 292 years.",
			"const a: duration = 1.5h\n"},
		{UnterminatedString, "string without an end", Error,
			"Occurs when a string does not end on the line on which it begins.",
			"const a: string = \"abc\n"},
		{BadEscape, "unknown escape", Error,
			"Occurs when a \\ in a \"…\" string is not followed by one of \" \\ n t r { } u{…}. Text in back quotes has no escapes.",
			"const a: string = \"a\\qb\"\n"},
		{BadInterpolation, "malformed interpolation", Error,
			"Occurs when the { in a string is not followed by an expression and a } on the same line. For a brace write \\{ or use back quotes.",
			"const a: string = \"a {\"\n"},
		{BlockComment, "block comment", Error,
			"Occurs when /* begins a comment. Comments begin with // and run to the end of the line.",
			"/* old */\nconst a: int = 1\n"},
		{SingleQuotes, "string in single quotes", Error,
			"Occurs when a string stands in single quotes; strings stand in \"…\" or in back quotes.",
			"const a: string = 'text'\n"},
		{ForeignOperator, "operator of another language", Error,
			"Occurs when an operator of other languages is written: && || ! === !== <> ++ -- /= ** ?. and c ? a : b. The hint says what is written instead.",
			inAggregate("invariant i: state.n > 0 && state.n < 9")},
		{Semicolon, "semicolon", Error,
			"Occurs when a ; is written. Nothing needs to be ended: line ends and semicolons mean nothing.",
			"const a: int = 1;\n"},
		{UnderscoreName, "name begins with _", Error,
			"Occurs when a name begins with an underscore. A single _ stands for a variable that is not used.",
			"const a: int = _b\n"},
		{NestingTooDeep, "nested too deep", Error,
			"Occurs when brackets are nested more than 100 deep, or when more than 1000 operators or branches follow each other without brackets.",
			"const a: int = " + strings.Repeat("(", 101) + "1" + strings.Repeat(")", 101) + "\n"},
		{FileTooLarge, "file too large", Error,
			"Occurs when a file has more than 1,048,576 bytes. Split it and import the parts.",
			""},
		{TooManyErrors, "too many errors", Error,
			"Occurs when a file has more than 500 syntax errors; what follows is not read. Most likely it is not a manifest.",
			""},
	}
}

// declarationCodes documents errors in names, declarations, fields and types.
func declarationCodes() []Info {
	return []Info{
		{UnexpectedToken, "unexpected text", Error,
			"Occurs when something else is due than what is written, and no other code says it better.",
			inAggregate("invariant i state.n > 0")},
		{MissingCloser, "missing bracket", Error,
			"Occurs when a ( [ or { is not closed. It is reported where the bracket is due: before a declaration or a statement that begins a line, or at the end of the file.",
			inAggregate("invariant i: (state.n > 0")},
		{UnknownDeclaration, "unknown declaration", Error,
			"Occurs when a word begins no declaration.",
			inAggregate("invarient i: state.n > 0")},
		{MissingName, "missing name", Error,
			"Occurs when a declaration, field or variable has no name.",
			"const : int = 1\n"},
		{ReservedName, "reserved word as a name", Error,
			"Occurs when one of the reserved words and or not implies in is some none true false if then else for where is used as a name.",
			"const none: int = 1\n"},
		{StatementName, "statement word as a name", Error,
			"Occurs when a word that begins a statement (let var return require reject emit match remove nothing check) names a let, var, parameter, loop variable, const, fn or guard, or is assigned to. Fields, events, commands and enum members may be called so.",
			"const emit: int = 1\n"},
		{RootName, "state, cmd, event, ctx or old as a name", Error,
			"Occurs when state, cmd, event, ctx or old names a let, var, parameter, loop variable, const, fn, event or command: every rule is born with these. Fields and enum members may be called so.",
			"fn f(ctx: int): int = 1\n"},
		{WantCapital, "type begins with a small letter", Error,
			"Occurs when the name of an aggregate, enum or record does not begin with a capital.",
			"enum status { open }\n"},
		{WantSmall, "name begins with a capital", Error,
			"Occurs when a name that is not the name of a type begins with a capital.",
			"const Max: int = 1\n"},
		{StrayComma, "comma too many", Error,
			"Occurs when a comma stands where nothing is separated: first in a list, twice, between statements, or at the end of a list without brackets such as roles.",
			"enum Status { open,, closed }\n"},
		{MissingBraces, "missing braces", Error,
			"Occurs when { } is missing after a command, event, emit, decide and so on. They are written even when they are empty.",
			inAggregate("command c", "decide c { nothing }")},
		{FieldOrder, "default after where", Error,
			"Occurs when the default of a field stands behind its where. The order is name: type = default where condition.",
			"record R { n: int where n >= 0 = 1 }\n"},
		{WhereNotAllowed, "where on a field of state or event", Error,
			"Occurs when a where stands on a field of a state or an event. Conditions on state are invariants; an event has happened and is not refused.",
			"aggregate A { state { n: int where n > 0 } }\n"},
		{MissingType, "missing type", Error,
			"Occurs when a field, parameter, const, derive or the result of a fn has no type.",
			"const a = 1\n"},
		{OptionalTwice, "optional twice", Error,
			"Occurs when a type has more than one ?. A value is there or it is not.",
			"fn f(a: int??): int = a ?? 0\n"},
		{MisplacedDeclaration, "declaration in the wrong place", Error,
			"Occurs when a test or an aggregate stands inside an aggregate, when what belongs into an aggregate stands outside, or when an import follows a declaration.",
			"roles a\n"},
		{MissingString, "missing string", Error,
			"Occurs when import, test, at or the wire name of an enum member is not followed by a string.",
			"enum Status { open = 1 }\n"},
		{BadVersion, "malformed version", Error,
			"Occurs when @ is not followed by a whole number from 1.",
			inAggregate("event e @ {}", "apply e {}", "command c {}", "decide c { emit e {} }")},
		{SealedReserved, "sealed is reserved", Error,
			"Occurs when sealed stands after the type of a field. The word is reserved for the erasure of personal data and does nothing yet.",
			"record R { mail: string? sealed }\n"},
		{BadCount, "missing whole number", Error,
			"Occurs when snapshot every, gas, repeat or then gas is not followed by a whole number.",
			inAggregate("gas lots")},
		{MissingValue, "missing value", Error,
			"Occurs when the = and the value of a const, derive, let, var or fn, or the : and the value of a field in braces, are missing.",
			"const a: int\n"},
	}
}

// statementCodes documents errors in statements and in the steps of tests.
func statementCodes() []Info {
	return []Info{
		{UnknownStatement, "unknown statement", Error,
			"Occurs when a line in a rule begins no statement, or is an expression alone.",
			inRule("emitt x {}", "nothing")},
		{MissingElse, "missing else", Error,
			"Occurs when a require has no else, or an if that is a value has none.",
			inRule("require state.n > 0", "nothing")},
		{MissingCode, "missing rejection code", Error,
			"Occurs when reject, or the else of a require, is not followed by a code. A code is a name; the message behind it is optional.",
			inRule(`reject "too late"`)},
		{NothingAssigned, "assignment to nothing", Error,
			"Occurs when nothing is assigned to: it is a statement and cannot be a variable.",
			inRule("nothing = 1", "nothing")},
		{BadTarget, "no place to assign to", Error,
			"Occurs when the left side of an assignment is not a variable or a path, or remove does not name an entry. m[k]? is a value, not a place.",
			inAggregate("fn f(): int {", "  var m: map<int, int> = {}", "  m[1]? = 2", "  return len(m)", "}")},
		{SpreadTwice, "two spreads", Error,
			"Occurs when .. stands twice in one pair of braces.",
			"record R { n: int }\nfn f(a: R, b: R): R = R { ..a, ..b }\n"},
		{BadPattern, "no pattern", Error,
			"Occurs when an arm of match begins with something else than a literal, an enum member, a range of numbers, none, some v or _.",
			inRule("match state.n { 1 + 1 => { nothing } _ => { nothing } }")},
		{UnknownStep, "unknown step of a test", Error,
			"Occurs when a line in a test begins with something else than given, when, then, at, as, let or repeat.",
			inTest("whenn c {}", "when c {}", "then nothing")},
		{BadPath, "malformed path", Error,
			"Occurs when an index in the path of then invalid is neither a number nor a string.",
			inTest("when c {}", "then nothing", "then invalid lines[x].n")},
		{AssignInCondition, "= in a condition", Error,
			"Occurs when a condition contains =, which assigns; == compares.",
			inRule("require state.n = 1 else wrong", "nothing")},
	}
}

// expressionCodes documents errors in expressions.
func expressionCodes() []Info {
	return []Info{
		{MissingOperand, "missing expression", Error,
			"Occurs when an expression is due and the line ends, a bracket closes or a declaration begins.",
			"const a: int = 1 +\n"},
		{ForeignWord, "word of another language", Error,
			"Occurs when a word of other languages is written: null, nil, undefined, True, this, self, elif, case, default. The hint says what is written instead.",
			"const a: int? = null\n"},
		{MissingComma, "missing comma", Error,
			"Occurs when two arguments, list elements, map entries or parameters have no comma between them. Fields and members need none, since each begins with a name.",
			"const a: list<int> = [1 2]\n"},
		{ChainedComparison, "chained comparison", Error,
			"Occurs when a comparison is compared again, as in a < b < c.",
			inAggregate("invariant i: 0 < state.n < 9")},
		{NotIn, "not in", Error,
			"Occurs when x not in xs is written; it is spelt not x in xs.",
			inAggregate("invariant i: state.n not in [1, 2]")},
		{NeedsParentheses, "missing parentheses", Error,
			"Occurs when an if, or a not behind a tighter operator, is the operand of an operator without parentheses.",
			"const a: int = 1 + if true then 1 else 2\n"},
		{MissingThen, "missing then", Error,
			"Occurs when an if that is a value has no then: if c then a else b.",
			"const a: int = if true { 1 } else { 2 }\n"},
		{MethodCall, "method call", Error,
			"Occurs when a function is called behind a dot. Values have no methods: write len(x).",
			inAggregate("invariant i: state.n.abs() < 9")},
		{SetLiteral, "braces without colons", Error,
			"Occurs when values stand in braces without keys. A set is written set([a, b]).",
			"const a: set<int> = {1, 2}\n"},
		{StrayRange, "stray ..", Error,
			"Occurs when .. stands somewhere else than between the ends of a range behind in, in a match pattern, or before a record in braces.",
			"const a: list<int> = [..b]\n"},
		{StrayBlank, "stray _", Error,
			"Occurs when _ is used as a value outside of then emit.",
			"const a: int = _\n"},
		{BadComprehension, "malformed comprehension", Error,
			"Occurs when a comprehension has a second for or if, stands beside other arguments, or when sort_by has none.",
			"fn f(xs: list<int>): list<int> = [x for x in xs if x > 0 if x < 9]\n"},
	}
}
