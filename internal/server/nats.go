package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/cloudlysis/aggregate"
)

// natsInFlight is how many requests of the NATS door may be under way; more wait in the
// subscription.
const natsInFlight = 4096

// NATS is the NATS door: the micro service "aggregate", whose requests on
// cmd.<tenant or _>.<type>.<id> carry the payload as body and the HTTP door's headers, and are
// answered with the HTTP door's bodies; with .simulate behind the id they are simulated. Errors have
// Nats-Service-Error-Code (the HTTP status). Nodes share the queue group, so that one of them answers.
func NATS(ctx context.Context, nc *nats.Conn, cmds Commands, p Policy, version string) (micro.Service, error) {
	d := &natsDoor{ctx: ctx, nc: nc, cmds: cmds, policy: p}
	d.out = newOutbox(natsInFlight, d.send)
	svc, err := micro.AddService(nc, micro.Config{Name: "aggregate", Version: version, QueueGroup: "aggregate", StatsHandler: d.stats,
		Description: "Commands for aggregates: the payload is one JSON object with \"type\"."})
	if err != nil {
		return nil, fmt.Errorf("NATS door: %w", err)
	}
	err = errors.Join(
		svc.AddEndpoint("cmd", micro.HandlerFunc(d.submit), micro.WithEndpointSubject("cmd.*.*.*")),
		svc.AddEndpoint(endpointSimulate, micro.HandlerFunc(d.simulate), micro.WithEndpointSubject("cmd.*.*.*.simulate")),
		nc.FlushTimeout(peekTimeout)) // who asks after this is heard
	if err != nil {
		_ = svc.Stop()
		return nil, fmt.Errorf("NATS door: %w", err)
	}
	return svc, nil
}

// endpointSimulate is the name of the endpoint, and of the token behind the id.
const endpointSimulate = "simulate"

type natsDoor struct {
	ctx    context.Context // ends when the node stops
	nc     *nats.Conn
	cmds   Commands
	policy Policy
	out    *outbox[natsAnswer]

	submitted, simulated natsCounts
}

// natsCounts is what NATSStats is made of.
type natsCounts struct {
	answered, refused atomic.Int64
	spent             atomic.Int64 // ns
}

// NATSStats is the data of $SRV.STATS. The library's own figures end with the start of a command,
// as its outcome comes later.
type NATSStats struct {
	Answered int64 `json:"answered"` // of these
	Refused  int64 `json:"refused"`  // ended in a problem
	// AverageSeconds is from a command's arrival to its answer.
	AverageSeconds float64 `json:"average_seconds"`
}

func (d *natsDoor) stats(e *micro.Endpoint) any {
	c := &d.submitted
	if e.Name == endpointSimulate {
		c = &d.simulated
	}
	s := NATSStats{Answered: c.answered.Load(), Refused: c.refused.Load()}
	s.AverageSeconds = float64(c.spent.Load()) / 1e9 / float64(max(s.Answered, 1))
	return s
}

// natsAnswer is an outcome with where it goes.
type natsAnswer struct {
	answer
	simulation *Simulation // in place of a reply
	to         string
	began      time.Time
	counts     *natsCounts
}

// submit runs on the subscription's goroutine: it starts commands in the order of their arrival.
// What comes later must not touch req: the library reads it when submit has returned.
func (d *natsDoor) submit(req micro.Request) {
	a := natsAnswer{to: req.Reply(), began: time.Now(), counts: &d.submitted}
	d.out.expect()
	if a.cmd, a.err = d.command(req); a.err != nil {
		d.out.put(a)
		return
	}
	a.strings = wantsStrings(natsHeaders(req.Headers()))
	d.cmds.Start(d.ctx, a.cmd, func(r *aggregate.Reply, err error) {
		a.reply, a.err = r, err
		d.out.put(a)
	})
}

// simulate leaves the subscription's goroutine, as a simulation may have to load its aggregate.
func (d *natsDoor) simulate(req micro.Request) {
	a := natsAnswer{to: req.Reply(), began: time.Now(), counts: &d.simulated}
	d.out.expect()
	if a.cmd, a.err = d.command(req); a.err != nil {
		d.out.put(a)
		return
	}
	a.strings = wantsStrings(natsHeaders(req.Headers()))
	go func() {
		a.simulation, a.err = d.cmds.Simulate(d.ctx, a.cmd)
		d.out.put(a)
	}()
}

func (d *natsDoor) send(batch []natsAnswer) {
	buf := buffers.Get().(*[]byte)
	for i := range batch {
		a := &batch[i]
		a.counts.add(a)
		if a.to == "" { // a caller that does not wait has its command id
			continue
		}
		if a.err != nil {
			_ = d.nc.PublishMsg(a.problem())
			continue
		}
		*buf = a.append((*buf)[:0])
		_ = d.nc.Publish(a.to, *buf) // it copies
	}
	buffers.Put(buf)
}

func (c *natsCounts) add(a *natsAnswer) {
	c.answered.Add(1)
	c.spent.Add(int64(time.Since(a.began)))
	if a.err != nil {
		c.refused.Add(1)
	}
}

// append writes the HTTP door's body.
func (a *natsAnswer) append(b []byte) []byte {
	switch {
	case a.simulation == nil:
		return appendReply(b, a.shown())
	case a.strings:
		return appendSimulation(b, a.cmd, simulationWithStrings(a.simulation))
	}
	return appendSimulation(b, a.cmd, a.simulation)
}

func (a *natsAnswer) problem() *nats.Msg {
	p := ProblemOf(a.err)
	return &nats.Msg{Subject: a.to, Data: problemBody(&p, a.cmd.CommandID), Header: nats.Header{
		micro.ErrorHeader: {headerText(p.message())}, micro.ErrorCodeHeader: {strconv.Itoa(p.Status)}}}
}

// headerText is s on one line: a message may quote what a caller sent.
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
}

func (d *natsDoor) command(req micro.Request) (*aggregate.Command, error) {
	cmd := &aggregate.Command{Payload: req.Data()}
	h := natsHeaders(req.Headers())
	var err error
	if cmd.CommandID, err = commandID(h.get("idempotency-key")); err != nil {
		return cmd, err
	}
	tenant, typ, id := subjectParts(req.Subject())
	c, err := d.caller(tenant, h)
	if err != nil {
		return cmd, err
	}
	if cmd.AggregateType, cmd.AggregateID, err = address(typ, id); err != nil {
		return cmd, err
	}
	if cmd.ExpectedVersion, err = expected(h.get("if-match")); err != nil {
		return cmd, err
	}
	if int64(len(cmd.Payload)) > d.policy.MaxBody {
		return cmd, aggregate.ErrTooLarge
	}
	return cmd, d.policy.fill(cmd, &c, h)
}

// subjectParts reads cmd.<tenant>.<type>.<id>, perhaps with one more token; the endpoints' subjects have no other form.
func subjectParts(subject string) (tenant, typ, id string) {
	_, rest, _ := strings.Cut(subject, ".")
	tenant, rest, _ = strings.Cut(rest, ".")
	typ, rest, _ = strings.Cut(rest, ".")
	id, _, _ = strings.Cut(rest, ".")
	return tenant, typ, id
}

// caller is who asks for the tenant that the subject names; a header x-tenant-id must not say
// otherwise.
func (d *natsDoor) caller(token string, h natsHeaders) (caller, error) {
	if token == "_" {
		token = ""
	}
	if said := h.get("x-tenant-id"); said != "" && said != token {
		return caller{}, &aggregate.TenantAccessDeniedError{TenantID: aggregate.TenantID(said)}
	}
	return d.policy.caller(d.ctx, withTenant{h, token})
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

func (h natsHeaders) several(name string) bool {
	var all []string
	for k, v := range h {
		if strings.EqualFold(k, name) {
			all = append(all, v...)
		}
	}
	return differ(all)
}

func (h natsHeaders) meta(cmd *aggregate.Command) {
	for name, v := range h {
		if key, ok := metaKey(name); ok && len(v) > 0 {
			setMeta(cmd, key, v[0])
		}
	}
}

// withTenant are headers whose tenant comes from the subject.
type withTenant struct {
	natsHeaders
	tenant string
}

func (w withTenant) get(name string) string {
	if name == "x-tenant-id" {
		return w.tenant
	}
	return w.natsHeaders.get(name)
}
