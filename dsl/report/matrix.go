package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Unborn is the status of an aggregate that has no event yet.
const Unborn = "unborn"

// anyStatus is the only status when there is no field to tell them apart.
const anyStatus = "any state"

// Matrix tells for each command and status what happens, under the assumptions of the package
// comment and to a caller who has the role that the command asks for.
type Matrix struct {
	Aggregate string `json:"aggregate"`
	// Field is the state field whose members are the statuses; empty when there is none.
	Field    string   `json:"field,omitempty"`
	Statuses []string `json:"statuses"`
	Rows     []Row    `json:"commands"`
	// Roles tell for each declared role, and for a caller with none, what differs for them.
	Roles []Role `json:"roles"`
}

// Row is one command.
type Row struct {
	Command string   `json:"command"`
	Doc     string   `json:"doc,omitempty"`
	By      []string `json:"by,omitempty"` // empty: anybody
	Cells   []Cell   `json:"cells"`
}

// Role is what a caller with one role, or with none, may do.
type Role struct {
	Name string `json:"role,omitempty"` // empty: any caller
	Rows []Row  `json:"commands"`
}

// FieldError says that a status field was asked for that does not exist.
type FieldError struct {
	Aggregate, Field string
	Choices          []string
}

// Error lists the fields there are.
func (e *FieldError) Error() string {
	if len(e.Choices) == 0 {
		return fmt.Sprintf("%s has no state field of an enum or bool, so there is no %q to choose", e.Aggregate, e.Field)
	}
	return fmt.Sprintf("%s has no enum or bool %q in its state; choose one of %s", e.Aggregate, e.Field, strings.Join(e.Choices, ", "))
}

// StatusFields lists the state fields of an enum or bool, in the order of their declaration.
func StatusFields(a *check.Aggregate) []string {
	var out []string
	for _, f := range a.State {
		if finite(f.Type) {
			out = append(out, f.Name)
		}
	}
	return out
}

// StatusField is the enum field that rules mention most, in conditions and assignments; the
// first of several, -1 when the state has no enum.
func StatusField(a *check.Aggregate) int {
	counts := mentions(a)
	best := -1
	for i, f := range a.State {
		if f.Type.Kind == value.Enum && (best < 0 || counts[i] > counts[best]) {
			best = i
		}
	}
	return best
}

// mentions counts, for each state field, where decides, guards, `final` and applies read or set
// it.
func mentions(a *check.Aggregate) []int {
	counts := make([]int, len(a.State))
	expr := func(e check.Expr) {
		walk(e, func(x check.Expr) bool {
			if f, ok := x.(*check.StateField); ok && !f.Old {
				counts[f.Field]++
			}
			return true
		})
	}
	set := func(s check.Stmt) {
		if as, ok := s.(*check.Assign); ok && as.Local == nil {
			counts[as.Field]++
		}
	}
	if a.Final != nil {
		expr(a.Final.Cond)
	}
	for _, c := range a.Commands {
		walkStmts(c.Decide, set, expr)
	}
	for _, g := range a.Guards {
		walkStmts(g.Body, set, expr)
	}
	for _, e := range a.Events {
		walkStmts(e.Apply, set, expr)
	}
	return counts
}

// walkStmts calls stmt for each statement and expr for each expression directly in one.
func walkStmts(list []check.Stmt, stmt func(check.Stmt), expr func(check.Expr)) {
	for _, s := range list {
		stmt(s)
		switch s := s.(type) {
		case *check.Let:
			expr(s.Value)
		case *check.Assign:
			expr(s.Value)
		case *check.Require:
			expr(s.Cond)
		case *check.Check:
			for _, a := range s.Args {
				expr(a)
			}
		case *check.Emit:
			expr(s.Make.Spread)
			for _, f := range s.Make.Fields {
				expr(f)
			}
		case *check.Return:
			expr(s.Value)
		case *check.IfStmt:
			expr(s.Cond)
			walkStmts(s.Then, stmt, expr)
			walkStmts(s.Else, stmt, expr)
		case *check.Match:
			expr(s.Subject)
			for _, arm := range s.Arms {
				walkStmts(arm.Body, stmt, expr)
			}
		case *check.For:
			for _, e := range []check.Expr{s.Source.X, s.Source.From, s.Source.To} {
				expr(e)
			}
			walkStmts(s.Body, stmt, expr)
		}
	}
}

// fieldNamed is the state field that a user asks for; "" is the one that rules mention most.
func fieldNamed(a *check.Aggregate, name string) (int, error) {
	if name == "" {
		return StatusField(a), nil
	}
	name = strings.TrimPrefix(name, "state.")
	at := slices.IndexFunc(a.State, func(f value.Field) bool { return f.Name == name })
	if at < 0 || !finite(a.State[at].Type) {
		return 0, &FieldError{a.Name, name, StatusFields(a)}
	}
	return at, nil
}

// memberNames are the members of an enum or bool as an author writes them.
func memberNames(t *value.Type) []string {
	if t.Kind == value.Bool {
		return []string{"false", "true"}
	}
	var out []string
	for _, m := range t.Enum.Members {
		out = append(out, m.Name)
	}
	return out
}

// NewMatrix runs every command in every status of a state field; field "" chooses it.
func NewMatrix(a *check.Aggregate, field string) (*Matrix, error) {
	at, err := fieldNamed(a, field)
	if err != nil {
		return nil, err
	}
	m := &Matrix{Aggregate: a.Name, Rows: []Row{}}
	if hasBirth(a) {
		m.Statuses = append(m.Statuses, Unborn)
	}
	if at >= 0 {
		m.Field = a.State[at].Name
		m.Statuses = append(m.Statuses, memberNames(a.State[at].Type)...)
	} else {
		m.Statuses = append(m.Statuses, anyStatus)
	}
	for _, c := range a.Commands {
		m.Rows = append(m.Rows, m.row(a, c, at, nil))
	}
	m.roles(a, at)
	return m, nil
}

func (m *Matrix) row(a *check.Aggregate, c *check.Command, field int, held []string) Row {
	r := Row{Command: c.Name, Doc: c.Doc, By: c.By}
	q := question{agg: a, command: c, field: field, held: held}
	for i, status := range m.Statuses {
		q.unborn = i == 0 && hasBirth(a)
		q.member = i
		if hasBirth(a) {
			q.member--
		}
		cell := q.answer()
		cell.Status = status
		r.Cells = append(r.Cells, cell)
	}
	return r
}

// roles tells for each role which commands it may send. What it holds is known to rules that
// ask ctx.roles.
func (m *Matrix) roles(a *check.Aggregate, field int) {
	anybody := Role{Rows: []Row{}}
	for _, r := range m.Rows {
		if len(r.By) == 0 {
			anybody.Rows = append(anybody.Rows, r)
		}
	}
	m.Roles = append(m.Roles, anybody)
	for _, name := range a.Roles {
		role := Role{Name: name, Rows: []Row{}}
		for i, c := range a.Commands {
			row := m.Rows[i]
			if readsRoles(a, c) {
				row = m.row(a, c, field, []string{name})
			}
			mayOnly := slices.Contains(c.By, name)
			if mayOnly || len(c.By) == 0 && !sameCells(row, m.Rows[i]) {
				role.Rows = append(role.Rows, row)
			}
		}
		m.Roles = append(m.Roles, role)
	}
}

// sameCells tells whether two rows say the same.
func sameCells(a, b Row) bool {
	for i := range a.Cells {
		if a.Cells[i].note() != b.Cells[i].note() || a.Cells[i].Verdict != b.Cells[i].Verdict {
			return false
		}
	}
	return true
}

// readsRoles tells whether a decide may ask for roles: itself, its guards or any function.
func readsRoles(a *check.Aggregate, c *check.Command) bool {
	found := false
	expr := func(e check.Expr) {
		walk(e, func(x check.Expr) bool {
			switch x := x.(type) {
			case *check.CtxRef:
				found = found || x.Field == check.CtxRoles
			case *check.FnCall:
				found = found || x.Fn.ReadsCtx
			}
			return !found
		})
	}
	var stmt func(check.Stmt)
	stmt = func(s check.Stmt) {
		if ch, ok := s.(*check.Check); ok && !found {
			walkStmts(ch.Guard.Body, stmt, expr)
		}
	}
	walkStmts(c.Decide, stmt, expr)
	return found
}
