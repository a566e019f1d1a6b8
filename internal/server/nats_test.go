package server

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/cloudlysis/aggregate"
)

// natsDoorTest serves the NATS door on a real server and gives another client's connection.
func natsDoorTest(t *testing.T, f *fakeCommands, p Policy) *nats.Conn {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("nats-server is not ready")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	connect := func() *nats.Conn {
		nc, err := nats.Connect(s.ClientURL())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	svc, err := NATS(ctx, connect(), f, p, "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = svc.Stop() })
	return connect()
}

func TestNATSDoor(t *testing.T) {
	f := &fakeCommands{submit: func(c *aggregate.Command) (*aggregate.Reply, error) {
		if strings.Contains(string(c.Payload), "refuse") {
			return nil, &aggregate.RejectedError{Code: "insufficient_funds", Message: "no"}
		}
		return accept(c)
	}}
	nc := natsDoorTest(t, f, Policy{MaxBody: 1000, TrustRoles: true})
	subject := "cmd.acme.Account." + testID
	tests := []struct {
		name, subject, body string
		hdr                 []string
		code, want          string
	}{
		{"accepted", subject, `{"type":"deposit"}`, []string{"Idempotency-Key", testCmd, "x-meta-source", "atm", "X-Roles", "teller"}, "", `"tenant_id":"acme","aggregate_type":"Account","aggregate_id":"` + testID + `","command_id":"` + testCmd},
		{"empty tenant", "cmd._.Account." + testID, `{}`, nil, "", `"tenant_id":""`},
		{"refused", subject, `{"type":"refuse"}`, []string{"idempotency-key", testCmd}, "422", `"code":"insufficient_funds","detail":"no","command_id":"` + testCmd},
		{"bad type", "cmd.acme.account." + testID, `{}`, nil, "400", `"code":"validation_error"`},
		{"bad id", "cmd.acme.Account.42", `{}`, nil, "400", `"code":"validation_error"`},
		{"bad tenant", "cmd.-a.Account." + testID, `{}`, nil, "400", `"code":"validation_error"`},
		{"another tenant in the header", subject, `{}`, []string{"x-tenant-id", "globex"}, "403", `"code":"tenant_access_denied"`},
		{"own meta", subject, `{}`, []string{"x-meta-actor", "eve"}, "400", `"code":"validation_error"`},
		{"too large", subject, strings.Repeat(" ", 1001), nil, "413", `"code":"too_large"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := nats.NewMsg(tt.subject)
			m.Data = []byte(tt.body)
			for i := 0; i+1 < len(tt.hdr); i += 2 {
				m.Header[tt.hdr[i]] = []string{tt.hdr[i+1]}
			}
			got, err := nc.RequestMsg(m, 10*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if got.Header.Get(micro.ErrorCodeHeader) != tt.code || !strings.Contains(string(got.Data), tt.want) {
				t.Errorf("got %v %s, want %s %s", got.Header, got.Data, tt.code, tt.want)
			}
		})
	}
}

func TestNATSDoorIsDiscovered(t *testing.T) {
	nc := natsDoorTest(t, &fakeCommands{submit: accept}, Policy{MaxBody: 1000})
	m, err := nc.Request("$SRV.INFO.aggregate", nil, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var info micro.Info
	if err := json.Unmarshal(m.Data, &info); err != nil || len(info.Endpoints) != 2 || info.Endpoints[0].Subject != "cmd.*.*.*" || info.Endpoints[0].QueueGroup != "aggregate" ||
		info.Endpoints[1].Subject != "cmd.*.*.*.simulate" || info.Endpoints[1].QueueGroup != "aggregate" {
		t.Errorf("got %s, %v", m.Data, err)
	}
}
