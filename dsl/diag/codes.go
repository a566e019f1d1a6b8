package diag

import (
	"slices"
	"strings"
	"sync"
)

// Info documents one code.
type Info struct {
	Code     Code
	Title    string // a few words, small letter first
	Severity Severity
	// Doc says when it occurs; a sentence that begins with "Occurs when".
	Doc string
	// Example is a small manifest that yields exactly this code.
	Example string
}

// The table of all codes is made of one part per range: codes_syntax.go holds AGG1xxx and the
// limits that the lexer checks (AGG309x), codes_check.go holds AGG2xxx, AGG3xxx and AGG5xxx,
// codes_manifest.go AGG308x, AGG4xxx and AGG5080, codes_gas.go AGG5081.
var table = sync.OnceValue(func() []Info {
	all := slices.Concat(syntaxCodes(), checkCodes(), manifestCodes(), gasCodes())
	slices.SortFunc(all, func(a, b Info) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return all
})

// Codes lists all documented codes in order. The caller must not change the list.
func Codes() []Info { return table() }

// Explain finds the documentation of code; letters may be small and AGG may be left out.
func Explain(code Code) (Info, bool) {
	want := strings.ToUpper(string(code))
	if !strings.HasPrefix(want, "AGG") {
		want = "AGG" + want
	}
	all := table()
	i, found := slices.BinarySearchFunc(all, Code(want), func(in Info, c Code) int {
		return strings.Compare(string(in.Code), string(c))
	})
	if !found {
		return Info{}, false
	}
	return all[i], true
}

// Severity is the severity that findings with code c have: AGG5xxx warn, all others are errors.
func (c Code) Severity() Severity {
	if strings.HasPrefix(string(c), "AGG5") {
		return Warning
	}
	return Error
}

// Report adds a finding with the severity of its code and returns it, so that the caller can add
// label, hint, related places and fixes.
func (b *Bag) Report(code Code, at Span, message string) *Diagnostic {
	return b.Add(&Diagnostic{Code: code, Severity: code.Severity(), Span: at, Message: message})
}
