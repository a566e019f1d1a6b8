package server

import (
	"testing"

	"github.com/cloudlysis/aggregate"
)

// TestAnswersAreCheap: what a door makes of a reply, in allocations.
func TestAnswersAreCheap(t *testing.T) {
	cmd := &aggregate.Command{TenantID: "acme", AggregateType: "Account", AggregateID: aggregate.NewID(), CommandID: aggregate.NewID()}
	r, err := accept(cmd)
	if err != nil {
		t.Fatal(err)
	}
	h := httpHeaders{"X-Tenant-Id": {"acme"}}
	a := &answer{cmd: cmd, reply: r}
	buf := make([]byte, 0, 4096)
	tests := []struct {
		name string
		most float64
		do   func()
	}{
		{"unary", 3, func() { response(r) }}, // the message, its texts, the payload
		{"stream", 3, func() { a.message() }},
		{"JSON", 0, func() { appendReply(buf[:0], r) }},
		{"headers", 0, func() { h.get("x-tenant-id") }},
	}
	for _, tt := range tests {
		if n := testing.AllocsPerRun(100, tt.do); n > tt.most {
			t.Errorf("%s: got %v allocations, want at most %v", tt.name, n, tt.most)
		}
	}
}
