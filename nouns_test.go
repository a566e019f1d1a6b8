package aggregate

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func roundTrip[T any](t *testing.T, in T) {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Errorf("got %+v\nwant %+v\nby %s", out, in, b)
	}
}

func TestT2_1TenantIDRoundTrip(t *testing.T) { roundTrip(t, TenantID("acme-corp")) }

func TestT2_2TenantIDDefault(t *testing.T) {
	var id TenantID
	if !id.IsEmpty() || id.Token() != "_" {
		t.Errorf("got %q, token %q", id, id.Token())
	}
	if p, err := ParseTenantID(""); err != nil || !p.IsEmpty() {
		t.Errorf("got %q, %v", p, err)
	}
}

func TestT2_3AggregateIDRoundTrip(t *testing.T) {
	roundTrip(t, NewID())
	rapid.Check(t, func(t *rapid.T) {
		var id ID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		got, err := ParseID(strings.ToUpper(id.String()))
		if err != nil || got != id {
			t.Fatalf("got %v, %v, want %v", got, err, id)
		}
		if b, _ := id.AppendText(nil); string(b) != id.String() {
			t.Fatalf("AppendText %s, String %s", b, id)
		}
	})
}

func TestNewIDIsOrderedByTime(t *testing.T) {
	last := NewID()
	for range 1000 {
		next := NewID()
		if next.String() <= last.String() || next[6]>>4 != 7 {
			t.Fatalf("%s after %s", next, last)
		}
		last = next
	}
}

func TestT2_4VersionIncrement(t *testing.T) {
	var v Version
	if v != 0 || v.Next() != 1 || v != 0 {
		t.Errorf("got %d, next %d", v, v.Next())
	}
}

var at = time.Date(2026, 11, 24, 10, 0, 0, 123456789, time.UTC)

func TestT2_5CommandRoundTrip(t *testing.T) {
	v := Version(3)
	roundTrip(t, Command{TenantID: "acme", CommandID: NewID(), AggregateID: NewID(), AggregateType: "Account",
		Payload: json.RawMessage(`{"type":"deposit","amount":9007199254740993}`), Metadata: map[string]string{"k": "v"}, Roles: []string{"teller"}, Actor: "ann", ExpectedVersion: &v})
}

func TestT2_6EventRoundTrip(t *testing.T) {
	roundTrip(t, Event{TenantID: "acme", EventID: NewID(), AggregateID: NewID(), AggregateType: "Account", Version: 7, EventType: "deposited", Schema: 1,
		Payload: json.RawMessage(`{"amount":0.10}`), CommandID: NewID(), Timestamp: at, Metadata: map[string]string{"correlation_id": "c"}})
}

func TestT2_7SnapshotRoundTrip(t *testing.T) {
	roundTrip(t, Snapshot{TenantID: "acme", AggregateID: NewID(), AggregateType: "Account", Version: 5, State: json.RawMessage(`{"balance":1.50}`),
		CreatedAt: at, UpdatedAt: at, Mark: Mark{Version: 5, Sequence: 99, Hash: [32]byte{1}, Stream: "s"}, Fingerprint: "f", Commands: []byte{1, 2}})
}

func TestT2_8Errors(t *testing.T) {
	key := Key{Tenant: "a", Type: "Account"}
	tests := []struct {
		err  error
		is   error
		want string
	}{
		{&TenantAccessDeniedError{TenantID: "other"}, ErrTenantAccessDenied, `"other"`},
		{&VersionConflictError{Expected: 1, Actual: 2}, ErrConflict, "expected 1, actual 2"},
		{&NotFoundError{Key: key}, ErrNotFound, "a/Account/00000000"},
		{&UnavailableError{Reason: ErrInDoubt}, ErrInDoubt, "outcome unknown"},
		{&UnavailableError{Reason: ErrStream, Message: "away"}, ErrStream, "stream error: away"},
		{&ValidationError{Path: "lines[2].qty", Message: "missing"}, nil, "lines[2].qty: missing"},
		{&ValidationError{Message: "no object"}, nil, "no object"},
		{&RejectedError{Code: "insufficient_funds", Message: "no"}, nil, "insufficient_funds: no"},
		{&RejectedError{Code: "closed"}, nil, "closed"},
		{&FaultError{Kind: "overflow", Rule: "decide x", File: "a.agg", Line: 3, Gas: 9}, nil, "overflow in decide x (a.agg:3"},
	}
	for _, tt := range tests {
		wrapped := fmt.Errorf("append account/42: %w", tt.err)
		if !strings.Contains(wrapped.Error(), tt.want) {
			t.Errorf("got %q, want %q in it", wrapped, tt.want)
		}
		if tt.is != nil && !errors.Is(wrapped, tt.is) {
			t.Errorf("%v is not %v", wrapped, tt.is)
		}
		for _, other := range []error{ErrConflict, ErrNotFound, ErrInDoubt, ErrTooLarge, ErrStream} {
			if other != tt.is && errors.Is(wrapped, other) {
				t.Errorf("%v is %v", wrapped, other)
			}
		}
	}
}

func TestParseTenantID(t *testing.T) {
	for _, ok := range []string{"a", "acme-corp", "T_1", "0", strings.Repeat("a", MaxTenantID)} {
		if got, err := ParseTenantID(ok); err != nil || string(got) != ok {
			t.Errorf("%q: got %q, %v", ok, got, err)
		}
	}
	for _, bad := range []string{"_", "-a", "a.b", "a b", "*", ">", "a/b", "é", "a\n", strings.Repeat("a", MaxTenantID+1)} {
		var v *ValidationError
		if got, err := ParseTenantID(bad); !errors.As(err, &v) || v.Path != "tenant_id" || got != "" {
			t.Errorf("%q: got %q, %v", bad, got, err)
		}
	}
}

func TestParseType(t *testing.T) {
	for _, ok := range []string{"A", "Account", "Sales_Order2", "A" + strings.Repeat("b", MaxType-1)} {
		if got, err := ParseType(ok); err != nil || string(got) != ok {
			t.Errorf("%q: got %q, %v", ok, got, err)
		}
	}
	for _, bad := range []string{"", "account", "A.b", "A>", "A*", "A b", "Ä", "1A", "A" + strings.Repeat("b", MaxType)} {
		if got, err := ParseType(bad); err == nil {
			t.Errorf("%q: got %q, want an error", bad, got)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	for _, bad := range []string{"", "42", "{0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d}", "urn:uuid:0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d", "0192f0c12d3e7a4b8c5d6e7f8a9b0c1d", "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1g"} {
		if got, err := ParseID(bad); err == nil {
			t.Errorf("%q: got %v, want an error", bad, got)
		}
	}
}

func TestEventsOf(t *testing.T) {
	key := Key{Tenant: "acme", Type: "Account", ID: NewID()}
	c := &Commit{CommandID: NewID(), Timestamp: at, Metadata: map[string]string{"k": "v"}, Events: []CommitEvent{
		{EventID: NewID(), Version: 4, Type: "a", Schema: 1, Payload: json.RawMessage(`{}`)}, {EventID: NewID(), Version: 5, Type: "b", Schema: 2}}}
	got := EventsOf(key, c)
	if len(got) != 2 || got[1].TenantID != "acme" || got[1].AggregateID != key.ID || got[1].Version != 5 || got[1].EventType != "b" || got[1].CommandID != c.CommandID || got[0].Metadata["k"] != "v" {
		t.Errorf("got %+v", got)
	}
}
