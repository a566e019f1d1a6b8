package server

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/cloudlysis/aggregate"
)

// natsInFlight is how many requests of the NATS door may be under way; more wait in the
// subscription.
const natsInFlight = 4096

// NATS is the NATS door: the micro service "aggregate", whose requests on
// cmd.<tenant or _>.<type>.<id> carry the payload as body and the HTTP door's headers, and are
// answered with the HTTP door's bodies. Errors have Nats-Service-Error-Code (the HTTP status).
// Nodes share the queue group, so that one of them answers.
func NATS(ctx context.Context, nc *nats.Conn, cmds Commands, p Policy, version string) (micro.Service, error) {
	d := &natsDoor{ctx: ctx, cmds: cmds, policy: p, slots: make(chan struct{}, natsInFlight)}
	svc, err := micro.AddService(nc, micro.Config{Name: "aggregate", Version: version, QueueGroup: "aggregate",
		Description: "Commands for aggregates: the payload is one JSON object with \"type\"."})
	if err != nil {
		return nil, fmt.Errorf("NATS door: %w", err)
	}
	err = svc.AddEndpoint("cmd", micro.HandlerFunc(d.handle), micro.WithEndpointSubject("cmd.*.*.*"))
	if err != nil {
		_ = svc.Stop()
		return nil, fmt.Errorf("NATS door: %w", err)
	}
	return svc, nil
}

type natsDoor struct {
	ctx    context.Context // ends when the node stops
	cmds   Commands
	policy Policy
	slots  chan struct{}
}

// handle runs on the subscription's goroutine: it starts commands in the order of their arrival.
func (d *natsDoor) handle(req micro.Request) {
	cmd, err := d.command(req)
	if err != nil {
		refuse(req, err, cmd.CommandID)
		return
	}
	d.slots <- struct{}{}
	d.cmds.Start(d.ctx, cmd, func(r *aggregate.Reply, err error) {
		defer func() { <-d.slots }()
		if err != nil {
			refuse(req, err, cmd.CommandID)
			return
		}
		_ = req.Respond(appendReply(nil, r)) // a caller that has gone has its command id
	})
}

func (d *natsDoor) command(req micro.Request) (*aggregate.Command, error) {
	cmd := &aggregate.Command{Payload: req.Data()}
	h := natsHeaders(req.Headers())
	var err error
	if cmd.CommandID, err = commandID(h.get("idempotency-key")); err != nil {
		return cmd, err
	}
	tokens := strings.Split(req.Subject(), ".")
	if len(tokens) != 4 { // the endpoint's subject has four
		return cmd, &aggregate.ValidationError{Path: "subject", Message: "cmd.<tenant>.<type>.<id> is expected"}
	}
	if cmd.TenantID, err = d.tenant(tokens[1], h); err != nil {
		return cmd, err
	}
	if cmd.AggregateType, cmd.AggregateID, err = address(tokens[2], tokens[3]); err != nil {
		return cmd, err
	}
	if cmd.ExpectedVersion, err = expected(h.get("if-match")); err != nil {
		return cmd, err
	}
	if int64(len(cmd.Payload)) > d.policy.MaxBody {
		return cmd, aggregate.ErrTooLarge
	}
	return cmd, d.policy.fill(cmd, h)
}

// tenant reads the subject's token; a header x-tenant-id must not say otherwise.
func (d *natsDoor) tenant(token string, h natsHeaders) (aggregate.TenantID, error) {
	if token == "_" {
		token = ""
	}
	said := h.get("x-tenant-id")
	if said != "" && said != token {
		return "", &aggregate.TenantAccessDeniedError{TenantID: aggregate.TenantID(said)}
	}
	return d.policy.tenant(oneHeader{"x-tenant-id", token})
}

func refuse(req micro.Request, err error, command aggregate.ID) {
	p := ProblemOf(err)
	_ = req.Error(strconv.Itoa(p.Status), p.message(), problemBody(&p, command))
}

// natsHeaders reads NATS headers, whose names are as the client wrote them.
type natsHeaders micro.Headers

func (h natsHeaders) get(name string) string {
	for k, v := range h {
		if len(v) > 0 && strings.EqualFold(k, name) {
			return v[0]
		}
	}
	return ""
}

func (h natsHeaders) each(f func(name, value string)) {
	for k, v := range h {
		if len(v) > 0 {
			f(strings.ToLower(k), v[0])
		}
	}
}

// oneHeader is a set of one header.
type oneHeader struct{ name, value string }

func (o oneHeader) get(name string) string {
	if name == o.name {
		return o.value
	}
	return ""
}

func (o oneHeader) each(f func(name, value string)) { f(o.name, o.value) }
