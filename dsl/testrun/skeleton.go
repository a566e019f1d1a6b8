package testrun

import (
	"fmt"
	"strings"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/format"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Skeleton is what is to be appended to a file of tests.
type Skeleton struct {
	Path  string // of the file of tests, in the set
	Text  []byte // in the form of `aggc fmt`
	Tests int
}

// Skeletons makes, for each file with aggregates, tests of what no test asks yet: each command
// accepted, and refused with each code. They compile, and comments say what to fill in.
func Skeletons(res *dsl.Result) ([]Skeleton, error) {
	var out []Skeleton
	byPath := map[string]int{}
	for _, a := range res.Set.Aggregates {
		s := skeletons{a: a, asked: asked(res.Set.Tests, a)}
		s.write()
		if s.n == 0 {
			continue
		}
		path := strings.TrimSuffix(a.Span.File.Name, ".agg") + "_test.agg"
		if dsl.IsTest(a.Span.File.Name) {
			path = a.Span.File.Name
		}
		i, ok := byPath[path]
		if !ok {
			i = len(out)
			byPath[path] = i
			out = append(out, Skeleton{Path: path})
		}
		out[i].Text = append(out[i].Text, s.b.String()...)
		out[i].Tests += s.n
	}
	for i := range out {
		text, bag := format.Source(diag.NewFile(out[i].Path, out[i].Text))
		if bag.Errors() > 0 {
			return nil, fmt.Errorf("the skeleton of %s has a syntax error: %s", out[i].Path, bag.Sorted()[0].Message)
		}
		out[i].Text = text
	}
	return out, nil
}

// accepted and anyCode stand beside codes in what is asked.
const (
	accepted = ""
	anyCode  = "*" // the code comes from a column
)

// question is a command and the code that a test expects of it.
type question struct{ command, code string }

// askedOf is what the tests of an aggregate ask, and their names.
type askedOf struct {
	questions map[question]bool
	names     map[string]bool
}

func asked(tests []*check.Test, a *check.Aggregate) askedOf {
	out := askedOf{map[question]bool{}, map[string]bool{}}
	for _, t := range tests {
		if t.Of == a {
			out.names[t.Name] = true
			out.steps(t.Steps)
		}
	}
	return out
}

func (q askedOf) steps(list []check.TestStep) {
	command := ""
	for _, s := range list {
		code := accepted
		switch s := s.(type) {
		case *check.When:
			command = s.Command.Name
			continue
		case *check.Repeat:
			q.steps(s.Steps)
			continue
		case *check.ThenReject:
			code = anyCode
			if k, ok := s.Code.(*check.Const); ok {
				code = k.Value.Str()
			}
		case *check.ThenInvalid, *check.ThenFault:
			continue
		}
		if command != "" {
			q.questions[question{command, code}] = true
		}
	}
}

func (q askedOf) has(command, code string) bool {
	return q.questions[question{command, code}] || code != accepted && q.questions[question{command, anyCode}]
}

// anywhere tells whether some command is asked for the code.
func (q askedOf) anywhere(code string) bool {
	for x := range q.questions {
		if x.code == code || x.code == anyCode {
			return true
		}
	}
	return false
}

type skeletons struct {
	a     *check.Aggregate
	asked askedOf
	b     strings.Builder
	n     int
}

func (s *skeletons) write() {
	for _, c := range s.a.Commands {
		if !s.asked.has(c.Name, accepted) {
			s.test(c.Name+" is accepted", "the state that it finds, its values, and what comes of it", c, then(c))
		}
		for _, r := range refusals(c) {
			if s.asked.has(c.Name, r.code) {
				continue
			}
			hint := "a state or values for which it is so"
			if r.code == "forbidden" {
				hint = "nothing: the test has no role"
			}
			s.test(c.Name+" is refused "+r.code, hint, c, "then reject "+r.code)
		}
	}
	s.common()
}

// common asks what is refused whatever the command is, of the first that does not create.
func (s *skeletons) common() {
	for _, c := range s.a.Commands {
		if c.Creates {
			continue
		}
		for _, r := range commonRefusals(s.a) {
			switch {
			case s.asked.anywhere(r.code):
			case r.code == "not_found":
				s.head("nothing is taken before the birth", "nothing, if this is meant")
				fmt.Fprintf(&s.b, "when %s %s\nthen reject not_found\n}\n\n", c.Name, sampleItems(c.Fields))
			default:
				s.test("nothing is taken after the end", "events or a state that end it: "+oneLine(s.a.Final.Cond.Pos().Text()), c, "then reject "+r.code)
			}
		}
		return
	}
}

// head begins a test with a name that is free.
func (s *skeletons) head(name, hint string) {
	s.n++
	free := name
	for i := 2; s.asked.names[free]; i++ {
		free = fmt.Sprintf("%s (%d)", name, i)
	}
	s.asked.names[free] = true
	fmt.Fprintf(&s.b, "// Fill in %s.\ntest %s for %s {\n", hint, quote(free), s.a.Name)
}

func (s *skeletons) test(name, hint string, c *check.Command, then string) {
	s.head(name, hint)
	s.b.WriteString(s.given(c, then))
	if len(c.By) > 0 && then != "then reject forbidden" {
		fmt.Fprintf(&s.b, "as { roles: [%s] }\n", quote(c.By[0]))
	}
	fmt.Fprintf(&s.b, "when %s %s\n%s\n}\n\n", c.Name, sampleItems(c.Fields), then)
}

// given is what a command finds: nothing if it creates, else what the first birth leaves, or the
// first state.
func (s *skeletons) given(c *check.Command, then string) string {
	if c.Creates && then != "then reject "+codeOf(c.CreateElse, "already_exists") {
		return ""
	}
	for _, birth := range s.a.Commands {
		if events := emitted(birth); birth.Creates && len(events) > 0 {
			return "given " + events[0].Name + " " + sampleItems(events[0].Fields) + "\n"
		}
	}
	return "given state {}\n"
}

// then expects the first event that a command can emit.
func then(c *check.Command) string {
	events := emitted(c)
	if len(events) == 0 {
		return "then nothing"
	}
	var items []string
	for i := range events[0].Fields {
		items = append(items, events[0].Fields[i].Name+": _")
	}
	return "then emit " + events[0].Name + " { " + strings.Join(items, ", ") + " }"
}

// sampleItems gives a value to each field that needs one.
func sampleItems(fields []value.Field) string {
	var items []string
	for i := range fields {
		f := &fields[i]
		if !f.HasDefault && f.Type.Kind != value.Optional {
			items = append(items, f.Name+": "+sampleOf(f.Type))
		}
	}
	if len(items) == 0 {
		return "{}"
	}
	return "{ " + strings.Join(items, ", ") + " }"
}

// sampleOf is some value of a type, within its bound.
func sampleOf(t *value.Type) string {
	switch t.Kind {
	case value.Bool:
		return "true"
	case value.Int, value.Decimal:
		return "1"
	case value.String:
		text := "text"
		if t.Bound > 0 {
			text = text[:min(len(text), t.Bound)]
		}
		return quote(text)
	case value.Time:
		return `"2000-01-01T00:00:00Z"`
	case value.Date:
		return `"2000-01-01"`
	case value.Duration:
		return "1h"
	case value.UUID:
		return `"00000000-0000-7000-8000-000000000001"`
	case value.JSON:
		return `"text"`
	case value.Enum:
		return t.Enum.Members[0].Name
	case value.Record:
		return t.Record.Name + " " + sampleItems(t.Record.Fields)
	case value.List:
		return "[]"
	case value.Set:
		return "set([])"
	case value.Map:
		return "{}"
	}
	return "none"
}
