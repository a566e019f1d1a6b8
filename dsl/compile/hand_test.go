package compile

import (
	"testing"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// The trees here are written by hand, so that the compiler is tested apart from the checker.

func typed(t *value.Type) check.Typed { return check.Typed{T: t} }

func dec(text string) check.Expr {
	v, _ := value.ParseDecimalText(text)
	return &check.Const{Typed: typed(value.DecimalType), Value: v}
}

func number(i int64) check.Expr {
	return &check.Const{Typed: typed(value.IntType), Value: value.MakeInt(i)}
}

// bank is the heart of language.md's Account: one deposit, one withdrawal, holds.
func bank() *check.Aggregate {
	hold := &value.RecordType{Name: "Hold", Fields: []value.Field{{Name: "amount", Type: value.DecimalType}, {Name: "until", Type: value.TimeType}}}
	holdType := &value.Type{Kind: value.Record, Record: hold}
	holds := &value.Type{Kind: value.Map, Bound: 50, Key: value.UUIDType, Elem: holdType}
	amount := []value.Field{{Name: "amount", Type: value.DecimalType}}
	balance := &check.StateField{Typed: typed(value.DecimalType), Field: 0}
	cmdAmount := &check.CmdField{Typed: typed(value.DecimalType), Field: 0}
	event := func(i int) check.Expr { return &check.EventField{Typed: typed(value.DecimalType), Field: i} }
	arith := func(op check.ArithOp, x, y check.Expr) check.Expr {
		return &check.Arith{Typed: typed(value.DecimalType), Op: op, X: x, Y: y}
	}

	deposited := &check.Event{Name: "deposited", Version: 1, Current: true, Fields: amount,
		Apply: []check.Stmt{&check.Assign{Field: 0, Op: check.Update, Arith: check.Add, Value: event(0), Target: value.DecimalType}}}
	withdrawn := &check.Event{Name: "withdrawn", Version: 1, Current: true,
		Fields: []value.Field{{Name: "amount", Type: value.DecimalType}, {Name: "fee", Type: value.DecimalType}},
		Apply: []check.Stmt{&check.Assign{Field: 0, Op: check.Update, Arith: check.Sub,
			Value: arith(check.Add, event(0), event(1)), Target: value.DecimalType}}}

	h := &check.Local{Name: "h", Type: holdType}
	held := &check.Fn{Name: "held", Result: value.DecimalType, ReadsState: true, Body: []check.Stmt{&check.Return{Value: &check.Comp{
		Typed: typed(value.DecimalType), Kind: check.CompSum,
		Source: check.Source{Kind: check.OverMap, Value: h, X: &check.StateField{Typed: typed(holds), Field: 1}},
		Elem:   &check.FieldOf{Typed: typed(value.DecimalType), X: &check.LocalRef{Typed: typed(holdType), Local: h}, Field: 0},
	}}}}
	p := &check.Local{Name: "amount", Type: value.DecimalType}
	ref := func(l *check.Local) check.Expr { return &check.LocalRef{Typed: typed(l.Type), Local: l} }
	call := func(b value.Builtin, args ...check.Expr) check.Expr {
		return &check.Call{Typed: typed(value.DecimalType), Builtin: b, Info: &value.CallInfo{Arg: value.DecimalType, Result: value.DecimalType}, Args: args}
	}
	feeFn := &check.Fn{Name: "fee", Result: value.DecimalType, Params: []*check.Local{p}, Body: []check.Stmt{&check.Return{
		Value: call(value.Max, call(value.RoundDecimal, arith(check.Mul, ref(p), dec("0.01")), number(2)), dec("0.5")),
	}}}

	fee := &check.Local{Name: "fee", Type: value.DecimalType}
	withdraw := &check.Command{Name: "withdraw", Fields: amount, Decide: []check.Stmt{
		&check.Let{Local: fee, Value: &check.FnCall{Typed: typed(value.DecimalType), Fn: feeFn, Args: []check.Expr{cmdAmount}}},
		&check.Require{
			Cond: &check.Cmp{Typed: typed(value.BoolType), Op: check.Ge,
				X: arith(check.Sub, balance, &check.FnCall{Typed: typed(value.DecimalType), Fn: held}),
				Y: arith(check.Add, cmdAmount, ref(fee))},
			Refusal: &check.Refusal{Code: "insufficient_funds", Message: &check.Interp{Typed: typed(value.StringType), Parts: []check.Expr{
				&check.Const{Typed: typed(value.StringType), Value: value.MakeString("balance ")},
				&check.Call{Typed: typed(value.StringType), Builtin: value.StringOf,
					Info: &value.CallInfo{Arg: value.DecimalType, Result: value.StringType}, Args: []check.Expr{balance}},
			}}},
		},
		&check.Emit{Event: withdrawn, Make: check.Make{Fields: []check.Expr{cmdAmount, ref(fee)}}},
	}}
	deposit := &check.Command{Name: "deposit", Fields: amount, Decide: []check.Stmt{
		&check.Emit{Event: deposited, Make: check.Make{Fields: []check.Expr{cmdAmount}}}}}
	solvent := &check.Invariant{Name: "solvent",
		Cond:  &check.Cmp{Typed: typed(value.BoolType), Op: check.Ge, X: balance, Y: dec("0")},
		Shown: []check.Shown{{Text: "state.balance", Value: balance}}}

	return &check.Aggregate{Name: "Account",
		State:      []value.Field{{Name: "balance", Type: value.DecimalType}, {Name: "holds", Type: holds}},
		Records:    []*check.RecordDecl{{Type: hold}},
		Commands:   []*check.Command{deposit, withdraw},
		Events:     []*check.Event{deposited, withdrawn},
		Fns:        []*check.Fn{held, feeFn},
		Invariants: []*check.Invariant{solvent},
	}
}

func TestHandmadeBankVerifies(t *testing.T) {
	p, plan, err := Aggregate(bank(), nil)
	if err != nil || plan != nil {
		t.Fatalf("got plan %v, error %v", plan, err)
	}
	if err := bytecode.Verify(p); err != nil {
		t.Fatal(err)
	}
	withdraw := p.Chunks[p.Commands[1].Decide]
	var ops []string
	for _, in := range withdraw.Code {
		ops = append(ops, in.Op.String())
	}
	for _, want := range []string{"mulround.d", "sum.d", "jlt.d", "emit"} {
		if !contains(ops, want) {
			t.Errorf("withdraw is %v, want it to use %s", ops, want)
		}
	}
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}
