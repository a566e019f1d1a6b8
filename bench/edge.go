package bench

import (
	"bytes"
	"encoding/json"
	"errors"

	goccy "github.com/goccy/go-json"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
	"github.com/valyala/fastjson"

	"github.com/cloudlysis/aggregate/dsl/value"
)

// EdgeBaseline is the name of the edge that all are measured against.
const EdgeBaseline = "encoding/json, structs, exact cents"

// OurEdge is the name of the edge that this module is about.
const OurEdge = "aggregate VM"

// Edge is one way from JSON to JSON.
type Edge struct {
	Name   string
	Cannot string // what it lets through or loses
	Open   func() (Door, error)
}

// Door is an open edge. What it gives is valid until the next call.
type Door interface {
	// Whole takes a command and a state and gives the event and the new state.
	Whole(command, state []byte) (event, next []byte, err error)
	// Alive takes a command for the account that it keeps, and gives the event.
	Alive(command []byte) (event []byte, err error)
}

var errRefused = errors.New("refused")

// aliveBalance is what the account that a door keeps begins with.
const aliveBalance = 1e15

// Edges are all ways, the baseline first.
func Edges() []Edge {
	const loose = "takes unknown and repeated fields, bad UTF-8"
	return []Edge{
		{EdgeBaseline, loose, openStd(json.Unmarshal, json.Marshal)},
		{"encoding/json, structs, float64", loose + "; loses digits", openFloat},
		{OurEdge, "–", openEdge},
		{"goccy/go-json, structs, exact cents", loose, openStd(goccy.Unmarshal, goccy.Marshal)},
		{"gjson + sjson", loose, openGjson},
		{"fastjson", loose, openFast},
	}
}

// cents is an amount of two places that JSON neither rounds nor reads as a float.
type cents int64

func (c *cents) UnmarshalJSON(b []byte) error {
	v, err := parseCents(string(b))
	*c = cents(v)
	return err
}

func (c cents) MarshalJSON() ([]byte, error) { return appendCents(make([]byte, 0, 24), int64(c)), nil }

type stdHold[N any] struct {
	Amount N      `json:"amount"`
	Until  string `json:"until"`
}

type stdState[N any] struct {
	Owner   string                `json:"owner"`
	Status  string                `json:"status"`
	Balance N                     `json:"balance"`
	Holds   map[string]stdHold[N] `json:"holds"`
	Tags    []string              `json:"tags"`
	Contact *string               `json:"contact"`
	Extra   json.RawMessage       `json:"extra"`
}

type stdCommand[N any] struct {
	Type   string `json:"type,omitempty"`
	Amount N      `json:"amount"`
}

type stdEvent[N any] struct {
	Amount N `json:"amount"`
	Fee    N `json:"fee"`
}

type stdDoor struct {
	unmarshal func([]byte, any) error
	marshal   func(any) ([]byte, error)
	account   *goAccount
}

func openStd(unmarshal func([]byte, any) error, marshal func(any) ([]byte, error)) func() (Door, error) {
	return func() (Door, error) {
		return &stdDoor{unmarshal, marshal, newGoAccount(2, aliveBalance, sumMap)}, nil
	}
}

func (d *stdDoor) Alive(command []byte) ([]byte, error) {
	var c stdCommand[cents]
	if err := d.unmarshal(command, &c); err != nil {
		return nil, err
	}
	ev, ok := d.account.decide(int64(c.Amount))
	if !ok || !d.account.apply(ev) {
		return nil, errRefused
	}
	return d.marshal(stdEvent[cents]{cents(ev.amount), cents(ev.fee)})
}

func (d *stdDoor) Whole(command, state []byte) ([]byte, []byte, error) {
	var c stdCommand[cents]
	if err := d.unmarshal(command, &c); err != nil {
		return nil, nil, err
	}
	var s stdState[cents]
	if err := d.unmarshal(state, &s); err != nil {
		return nil, nil, err
	}
	var held int64
	for _, h := range s.Holds {
		held += int64(h.Amount)
	}
	ev, balance, ok := withdraw(int64(c.Amount), int64(s.Balance), held, s.Status == "open")
	if !ok {
		return nil, nil, errRefused
	}
	s.Balance = cents(balance)
	event, err := d.marshal(stdEvent[cents]{cents(ev.amount), cents(ev.fee)})
	if err != nil {
		return nil, nil, err
	}
	next, err := d.marshal(&s)
	return event, next, err
}

// withdraw is the rule on numbers that were read.
func withdraw(amount, balance, held int64, open bool) (withdrawn, int64, bool) {
	if amount <= 0 || !open {
		return withdrawn{}, 0, false
	}
	fee := feeOf(amount)
	total, ok := add(amount, fee)
	left, okLeft := add(balance, -held)
	if !ok || !okLeft || left < total || balance < total {
		return withdrawn{}, 0, false
	}
	return withdrawn{amount, fee}, balance - total, true
}

// floatDoor is what is written when nobody thinks of exactness.
type floatDoor struct{ balance float64 }

func openFloat() (Door, error) { return &floatDoor{aliveBalance / 100}, nil }

func (d *floatDoor) Alive(command []byte) ([]byte, error) {
	var c stdCommand[float64]
	if err := json.Unmarshal(command, &c); err != nil {
		return nil, err
	}
	fee := float64(feeOf(int64(c.Amount*100+0.5))) / 100
	if c.Amount <= 0 || d.balance-2*holdCents/100. < c.Amount+fee {
		return nil, errRefused
	}
	d.balance -= c.Amount + fee
	return json.Marshal(stdEvent[float64]{c.Amount, fee})
}

func (d *floatDoor) Whole(command, state []byte) ([]byte, []byte, error) {
	var c stdCommand[float64]
	if err := json.Unmarshal(command, &c); err != nil {
		return nil, nil, err
	}
	var s stdState[float64]
	if err := json.Unmarshal(state, &s); err != nil {
		return nil, nil, err
	}
	held := 0.0
	for _, h := range s.Holds {
		held += h.Amount
	}
	fee := float64(feeOf(int64(c.Amount*100+0.5))) / 100
	if c.Amount <= 0 || s.Status != "open" || s.Balance-held < c.Amount+fee {
		return nil, nil, errRefused
	}
	s.Balance -= c.Amount + fee
	event, err := json.Marshal(stdEvent[float64]{c.Amount, fee})
	if err != nil {
		return nil, nil, err
	}
	next, err := json.Marshal(&s)
	return event, next, err
}

type vmDoor struct {
	vmAccount
	whole       []value.V
	arena       value.Arena
	event, next []byte
}

func openEdge() (Door, error) {
	a, err := openVM(20_000)(2, aliveBalance)
	if err != nil {
		return nil, err
	}
	d := &vmDoor{vmAccount: *a.(*vmAccount)}
	d.whole = make([]value.V, len(d.state))
	return d, nil
}

func (d *vmDoor) run(command []byte, state []value.V) error {
	if errs := d.m.DecodeCommand(d.cmd, command); errs != nil {
		return &errs[0]
	}
	if !d.m.Accepts(d.cmd, state, &d.ctx, true, d.gas) {
		return errRefused
	}
	d.m.Store(d.cmd, state)
	d.event = d.m.AppendEvent(d.event[:0], 0)
	return nil
}

func (d *vmDoor) Alive(command []byte) ([]byte, error) {
	err := d.run(command, d.state)
	return d.event, err
}

func (d *vmDoor) Whole(command, state []byte) ([]byte, []byte, error) {
	d.arena.Reset()
	if errs := d.p.DecodeStateInto(d.whole, state, &d.arena); errs != nil {
		return nil, nil, &errs[0]
	}
	if err := d.run(command, d.whole); err != nil {
		return nil, nil, err
	}
	d.next = d.p.AppendState(d.next[:0], d.whole, value.Encoder{})
	return d.event, d.next, nil
}

type gjsonDoor struct {
	account *goAccount
	event   []byte
}

func openGjson() (Door, error) {
	return &gjsonDoor{account: newGoAccount(2, aliveBalance, sumMap)}, nil
}

func gjsonCents(src []byte, path string) (int64, error) {
	r := gjson.GetBytes(src, path)
	if r.Type != gjson.Number {
		return 0, errCents
	}
	return parseCents(r.Raw)
}

func appendEvent(dst []byte, ev withdrawn) []byte {
	dst = appendCents(append(dst, `{"amount":`...), ev.amount)
	return append(appendCents(append(dst, `,"fee":`...), ev.fee), '}')
}

func (d *gjsonDoor) Alive(command []byte) ([]byte, error) {
	if !gjson.ValidBytes(command) {
		return nil, errRefused
	}
	amount, err := gjsonCents(command, "amount")
	if err != nil {
		return nil, err
	}
	ev, ok := d.account.decide(amount)
	if !ok || !d.account.apply(ev) {
		return nil, errRefused
	}
	d.event = appendEvent(d.event[:0], ev)
	return d.event, nil
}

func (d *gjsonDoor) Whole(command, state []byte) ([]byte, []byte, error) {
	if !gjson.ValidBytes(command) || !gjson.ValidBytes(state) {
		return nil, nil, errRefused
	}
	amount, err := gjsonCents(command, "amount")
	if err != nil {
		return nil, nil, err
	}
	balance, err := gjsonCents(state, "balance")
	if err != nil {
		return nil, nil, err
	}
	var held int64
	gjson.GetBytes(state, "holds").ForEach(func(_, h gjson.Result) bool {
		var c int64
		c, err = parseCents(h.Get("amount").Raw)
		held += c
		return err == nil
	})
	ev, left, ok := withdraw(amount, balance, held, gjson.GetBytes(state, "status").Str == "open")
	if err != nil || !ok {
		return nil, nil, errRefused
	}
	d.event = appendEvent(d.event[:0], ev)
	var buf [24]byte
	next, err := sjson.SetRawBytes(state, "balance", appendCents(buf[:0], left))
	return d.event, next, err
}

type fastDoor struct {
	account        *goAccount
	command, state fastjson.Parser
	arena          fastjson.Arena
	raw            []byte
	event, next    []byte
}

func openFast() (Door, error) {
	return &fastDoor{account: newGoAccount(2, aliveBalance, sumMap)}, nil
}

func (d *fastDoor) cents(v *fastjson.Value) (int64, error) {
	if v == nil || v.Type() != fastjson.TypeNumber {
		return 0, errCents
	}
	d.raw = v.MarshalTo(d.raw[:0]) // numbers stay text there
	return parseCents(string(d.raw))
}

func (d *fastDoor) Alive(command []byte) ([]byte, error) {
	c, err := d.command.ParseBytes(command)
	if err != nil {
		return nil, err
	}
	amount, err := d.cents(c.Get("amount"))
	if err != nil {
		return nil, err
	}
	ev, ok := d.account.decide(amount)
	if !ok || !d.account.apply(ev) {
		return nil, errRefused
	}
	d.event = appendEvent(d.event[:0], ev)
	return d.event, nil
}

func (d *fastDoor) Whole(command, state []byte) ([]byte, []byte, error) {
	c, err := d.command.ParseBytes(command)
	if err != nil {
		return nil, nil, err
	}
	s, err := d.state.ParseBytes(state)
	if err != nil {
		return nil, nil, err
	}
	amount, err := d.cents(c.Get("amount"))
	if err != nil {
		return nil, nil, err
	}
	balance, err := d.cents(s.Get("balance"))
	if err != nil {
		return nil, nil, err
	}
	var held int64
	s.GetObject("holds").Visit(func(_ []byte, h *fastjson.Value) {
		hold, bad := d.cents(h.Get("amount"))
		if bad != nil {
			err = bad
		}
		held += hold
	})
	ev, left, ok := withdraw(amount, balance, held, bytes.Equal(s.GetStringBytes("status"), []byte("open")))
	if err != nil || !ok {
		return nil, nil, errRefused
	}
	d.arena.Reset()
	s.Set("balance", d.arena.NewNumberString(string(appendCents(d.raw[:0], left))))
	d.event = appendEvent(d.event[:0], ev)
	d.next = s.MarshalTo(d.next[:0])
	return d.event, d.next, nil
}
