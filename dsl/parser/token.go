package parser

import (
	"io"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/cloudlysis/aggregate/dsl/diag"
)

// The kinds of tokens. A reserved word has a kind of its own, so that a production that asks for
// an Ident never takes one; every other word is an Ident (or a TypeName) and its meaning depends
// on its place.
const (
	tEOF   = lexer.EOF
	tIdent = -(iota + 2)
	tTypeName
	tBlank
	tInt
	tDec
	tDur
	tBadNum
	tString
	tRaw
	tHead
	tMid
	tTail
	tBadWord // `_x`: reported

	kwAnd
	kwOr
	kwNot
	kwImplies
	kwIn
	kwIs
	kwSome
	kwNone
	kwTrue
	kwFalse
	kwIf
	kwThen
	kwElse
	kwFor
	kwWhere

	tLBrace
	tRBrace
	tLParen
	tRParen
	tLBrack
	tRBrack
	tComma
	tColon
	tDot
	tDotDot
	tArrow    // ->
	tFatArrow // =>
	tAssign
	tPlusAssign
	tMinusAssign
	tStarAssign
	tBadAssign // `/=` `++` and the like: reported
	tEq
	tNe
	tLt
	tLe
	tGt
	tGe
	tPlus
	tMinus
	tStar
	tSlash
	tPercent
	tQuestion
	tCoalesce // ??
	tAt
	tLast // all kinds are >= tLast
)

type kind = lexer.TokenType

// keyword gives the kind of a reserved word, or tIdent.
func keyword(word string) kind {
	switch word {
	case "and":
		return kwAnd
	case "or":
		return kwOr
	case "not":
		return kwNot
	case "implies":
		return kwImplies
	case "in":
		return kwIn
	case "is":
		return kwIs
	case "some":
		return kwSome
	case "none":
		return kwNone
	case "true":
		return kwTrue
	case "false":
		return kwFalse
	case "if":
		return kwIf
	case "then":
		return kwThen
	case "else":
		return kwElse
	case "for":
		return kwFor
	case "where":
		return kwWhere
	}
	return tIdent
}

func isReserved(k kind) bool { return k <= kwAnd && k >= kwWhere }

// isWord tells whether k is spelt like a name.
func isWord(k kind) bool { return k == tIdent || k == tTypeName || k == tBadWord || isReserved(k) }

// definition is what participle needs to know of our lexer to build the productions.
type definition struct{}

var (
	_ lexer.Definition       = definition{}
	_ lexer.StringDefinition = definition{}
	_ lexer.BytesDefinition  = definition{}
)

// Symbols names the kinds that productions refer to; reserved words share one name per word.
func (definition) Symbols() map[string]lexer.TokenType {
	return map[string]lexer.TokenType{
		"EOF": tEOF, "Ident": tIdent, "TypeName": tTypeName, "BadWord": tBadWord, "Blank": tBlank,
		"Int": tInt, "Dec": tDec, "Dur": tDur, "BadNum": tBadNum,
		"String": tString, "Raw": tRaw, "Head": tHead, "Mid": tMid, "Tail": tTail,
		"And": kwAnd, "Or": kwOr, "Not": kwNot, "Implies": kwImplies, "In": kwIn, "Is": kwIs,
		"Some": kwSome, "None": kwNone, "True": kwTrue, "False": kwFalse, "If": kwIf,
		"Then": kwThen, "Else": kwElse, "For": kwFor, "Where": kwWhere,
		"LBrace": tLBrace, "RBrace": tRBrace, "LParen": tLParen, "RParen": tRParen,
		"LBrack": tLBrack, "RBrack": tRBrack, "Comma": tComma, "Colon": tColon, "Dot": tDot,
		"DotDot": tDotDot, "Arrow": tArrow, "FatArrow": tFatArrow, "Assign": tAssign,
		"PlusAssign": tPlusAssign, "MinusAssign": tMinusAssign, "StarAssign": tStarAssign,
		"BadAssign": tBadAssign, "Eq": tEq, "Ne": tNe, "Lt": tLt, "Le": tLe, "Gt": tGt, "Ge": tGe,
		"Plus": tPlus, "Minus": tMinus, "Star": tStar, "Slash": tSlash, "Percent": tPercent,
		"Question": tQuestion, "Coalesce": tCoalesce, "At": tAt,
	}
}

// Lex, LexString and LexBytes lex without anybody to hear about errors; ParseFile does not use
// them, it makes its scanner itself.
func (d definition) Lex(name string, r io.Reader) (lexer.Lexer, error) {
	src, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return d.LexBytes(name, src)
}

func (d definition) LexString(name, src string) (lexer.Lexer, error) {
	return d.LexBytes(name, []byte(src))
}

func (definition) LexBytes(name string, src []byte) (lexer.Lexer, error) {
	return newScanner(diag.NewFile(name, src)), nil
}
