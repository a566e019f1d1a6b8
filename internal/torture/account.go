package torture

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cloudlysis/aggregate"
)

// tenant is whose all accounts are.
const tenant = "torture"

// kind is what a caller asks for.
type kind uint8

const (
	open kind = iota
	deposit
	withdraw
	read
	idle // a command that changes nothing and is remembered: a commit without events
)

// events are the names of the events that an accepted command of a kind makes.
var events = [...]string{open: "account_opened", deposit: "deposited", withdraw: "withdrawn"}

// op is one thing that a caller wants and gets, however often it has to ask.
type op struct {
	account *account
	caller  int
	kind    kind
	amount  int64 // of each part
	parts   int   // how many events an accepted command makes
	id      aggregate.ID
	payload []byte

	call, ret int64 // when it first asked and when it had the answer, in ns of the trial
	out       outcome
	lost      bool   // acknowledged and absent, counted
	at        string // URL of the node that it asked last
	asked     int    // how often
	gaveUp    int    // how often without waiting for the answer
}

// outcome is what an op came to.
type outcome struct {
	accepted bool
	version  uint64         // of the aggregate after it; of a read, that read
	balance  int64          // of a read, or what a refusal names
	events   []aggregate.ID // of an accepted command
}

// delta is what an accepted op adds to the balance.
func (o *op) delta() int64 {
	switch o.kind {
	case open, deposit:
		return o.amount * int64(o.parts)
	case withdraw:
		return -o.amount * int64(o.parts)
	}
	return 0
}

func (o *op) String() string {
	return fmt.Sprintf("%s %d*%d by caller %d, command %s on %s", [...]string{"open", "deposit", "withdraw", "read", "idle"}[o.kind], o.parts, o.amount, o.caller, o.id, o.account)
}

// point is where an account stands.
type point struct {
	version uint64
	balance int64
}

// account is one aggregate and what the trial knows of it.
type account struct {
	typ aggregate.Type
	id  aggregate.ID

	mu    sync.Mutex
	acked []*op                // accepted, in the order of the answers
	round []*op                // of this round, all that have an answer
	no    map[aggregate.ID]*op // refused
	doubt map[*op]bool         // asked, without an answer
	base  point                // before the round
	now   point                // of the last look
}

func (a *account) key() aggregate.Key {
	return aggregate.Key{Tenant: tenant, Type: a.typ, ID: a.id}
}

func (a *account) String() string { return string(a.typ) + "/" + a.id.String() }

// ask notes an op whose outcome is not known.
func (a *account) ask(o *op) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.doubt[o] = true
}

// answered notes an op that has its outcome.
func (a *account) answered(o *op) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.doubt, o)
	a.round = append(a.round, o)
	switch {
	case o.kind == read:
	case o.out.accepted:
		a.acked = append(a.acked, o)
	default:
		a.no[o.id] = o
	}
}

// overtaken gives the attempt of a refused op that was not waited for, as an op that has no outcome yet; nil if there is
// none. Nothing keeps it behind the attempt that was refused: it may still be on its way, and what is refused is not
// remembered. So the log may have it, and both answers are true, the refusal first.
func (a *account) overtaken(id aggregate.ID) *op {
	a.mu.Lock()
	defer a.mu.Unlock()
	refused := a.no[id]
	if refused == nil || refused.gaveUp == 0 {
		return nil
	}
	late := *refused
	late.out = outcome{}
	return &late
}

// drop forgets a read that failed: it changed nothing.
func (a *account) drop(o *op) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.doubt, o)
}

// known copies what is known by command id: acknowledged and in doubt.
func (a *account) known() (acked []*op, doubt map[aggregate.ID]*op) {
	a.mu.Lock()
	defer a.mu.Unlock()
	doubt = make(map[aggregate.ID]*op, len(a.doubt))
	for o := range a.doubt {
		if o.kind != read {
			doubt[o.id] = o
		}
	}
	return slices.Clone(a.acked), doubt
}

// newAccounts makes n accounts, half of them Accounts of the bank, half Purses, whose commands make several events.
func newAccounts(r *rand.Rand, n int) []*account {
	out := make([]*account, n)
	for i := range out {
		out[i] = &account{typ: [...]aggregate.Type{"Account", "Purse"}[i%2], id: newID(r), no: make(map[aggregate.ID]*op), doubt: make(map[*op]bool)}
	}
	return out
}

// newID makes a UUID of version 4 from the seed.
func newID(r *rand.Rand) (id aggregate.ID) {
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// newOp chooses what a caller wants next. Withdrawals ask for more than deposits bring, so that many are refused.
func newOp(r *rand.Rand, caller int, accounts []*account) *op {
	o := &op{caller: caller, account: accounts[r.IntN(len(accounts))], id: newID(r), parts: 1}
	switch n := r.IntN(20); {
	case n < 3:
		o.kind = read
		return o
	case n < 5:
		o.kind, o.parts = idle, 0
		o.payload = o.body()
		return o
	case n < 12:
		o.kind, o.amount = deposit, 1+r.Int64N(100)
	default:
		o.kind, o.amount = withdraw, 1+r.Int64N(150)
	}
	if o.account.typ == "Purse" {
		o.parts = 1 + r.IntN(4)
	}
	o.payload = o.body()
	return o
}

// opening is the first op on an Account.
func opening(r *rand.Rand, a *account) *op {
	o := &op{account: a, kind: open, amount: 500, parts: 1, id: newID(r)}
	o.payload = fmt.Appendf(nil, `{"type":"open_account","initial_balance":%d}`, o.amount)
	return o
}

func (o *op) body() []byte {
	if o.kind == idle {
		return map[aggregate.Type][]byte{"Account": []byte(`{"type":"untag","tag":"none"}`), "Purse": []byte(`{"type":"look"}`)}[o.account.typ]
	}
	name := [...]string{deposit: "deposit", withdraw: "withdraw"}[o.kind]
	if o.account.typ == "Purse" {
		return fmt.Appendf(nil, `{"type":%q,"amount":%d,"parts":%d}`, name, o.amount, o.parts)
	}
	return fmt.Appendf(nil, `{"type":%q,"amount":%d}`, name, o.amount)
}

// answer is what the door says to commands and reads alike.
type answer struct {
	Version   uint64  `json:"version"`
	Duplicate bool    `json:"duplicate"`
	Events    []event `json:"events"`
	Code      string  `json:"code"`
	Detail    string  `json:"detail"`
	State     struct {
		Balance json.Number `json:"balance"`
	} `json:"state"`
}

// event is an event as the door shows it.
type event struct {
	ID      aggregate.ID    `json:"event_id"`
	Version uint64          `json:"version"`
	Type    string          `json:"event_type"`
	Payload json.RawMessage `json:"payload"`
}

// balanceIn reads the balance out of a refusal, "75 is available, 100 is needed".
func balanceIn(detail string) (int64, error) {
	text, _, found := strings.Cut(detail, " is available")
	if !found {
		return 0, fmt.Errorf("no balance in %q", detail)
	}
	return whole(text)
}

// whole reads a decimal that is a whole number.
func whole(text string) (int64, error) {
	text, frac, _ := strings.Cut(text, ".")
	if strings.Trim(frac, "0") != "" {
		return 0, fmt.Errorf("%s.%s is no whole number", text, frac)
	}
	return strconv.ParseInt(text, 10, 64)
}
