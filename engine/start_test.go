package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate"
)

// TestStartKeepsTheOrder: commands of one aggregate that were started one after another are
// decided in that order, refusals among them, and each is answered once.
func TestStartKeepsTheOrder(t *testing.T) {
	e := newWorld(t).start()
	type result struct {
		i     int
		reply *aggregate.Reply
		err   error
	}
	const n = 200
	results := make(chan result, n+3)
	start := func(i int, cmd *aggregate.Command) {
		e.Start(context.Background(), cmd, func(r *aggregate.Reply, err error) { results <- result{i, r, err} })
	}
	for i := range n { // deposit 1, withdraw 1, …: out of order a withdrawal would be refused
		start(i, command(account, []string{"deposit", "withdraw"}[i%2], 1))
	}
	for range n {
		r := <-results
		if r.err != nil || r.reply.Version != aggregate.Version(r.i+1) {
			t.Fatalf("command %d: got %v, %v", r.i, r.reply, r.err)
		}
	}
	start(n, command(account, "withdraw", 1))
	start(n+1, &aggregate.Command{AggregateType: "Account", AggregateID: account.ID, CommandID: aggregate.NewID(), Payload: []byte("{")})
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	e.Start(gone, command(account, "deposit", 1), func(r *aggregate.Reply, err error) { results <- result{n + 2, r, err} })
	for range 3 {
		select {
		case r := <-results:
			checkRefused(t, r.i-n, r.reply, r.err)
		case <-time.After(10 * time.Second):
			t.Fatal("no answer")
		}
	}
	wantBalance(t, e, account, 0, n)
}

func checkRefused(t *testing.T, i int, reply *aggregate.Reply, err error) {
	t.Helper()
	var (
		rejected *aggregate.RejectedError
		invalid  *aggregate.ValidationError
	)
	ok := []bool{errors.As(err, &rejected), errors.As(err, &invalid), errors.Is(err, context.Canceled)}[i]
	if reply != nil || !ok {
		t.Errorf("%d: got %v, %v", i, reply, err)
	}
}
