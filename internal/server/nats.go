package server

import (
	"context"
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
// answered with the HTTP door's bodies. Errors have Nats-Service-Error-Code (the HTTP status).
// Nodes share the queue group, so that one of them answers.
func NATS(ctx context.Context, nc *nats.Conn, cmds Commands, p Policy, version string) (micro.Service, error) {
	d := &natsDoor{ctx: ctx, nc: nc, cmds: cmds, policy: p, slots: make(chan struct{}, natsInFlight)}
	svc, err := micro.AddService(nc, micro.Config{Name: "aggregate", Version: version, QueueGroup: "aggregate", StatsHandler: func(*micro.Endpoint) any { return d.stats() },
		Description: "Commands for aggregates: the payload is one JSON object with \"type\"."})
	if err != nil {
		return nil, fmt.Errorf("NATS door: %w", err)
	}
	err = svc.AddEndpoint("cmd", micro.HandlerFunc(d.handle), micro.WithEndpointSubject("cmd.*.*.*"))
	if err == nil {
		err = nc.FlushTimeout(peekTimeout) // who asks after this is heard
	}
	if err != nil {
		_ = svc.Stop()
		return nil, fmt.Errorf("NATS door: %w", err)
	}
	return svc, nil
}

type natsDoor struct {
	ctx    context.Context // ends when the node stops
	nc     *nats.Conn
	cmds   Commands
	policy Policy
	slots  chan struct{}

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

func (d *natsDoor) stats() NATSStats {
	s := NATSStats{Answered: d.answered.Load(), Refused: d.refused.Load()}
	s.AverageSeconds = float64(d.spent.Load()) / 1e9 / float64(max(s.Answered, 1))
	return s
}

// handle runs on the subscription's goroutine: it starts commands in the order of their arrival.
// What comes later must not touch req: the library reads it when handle has returned.
func (d *natsDoor) handle(req micro.Request) {
	began, to := time.Now(), req.Reply()
	cmd, err := d.command(req)
	if err != nil {
		d.answer(to, cmd, nil, err, began)
		return
	}
	asStrings := wantsStrings(natsHeaders(req.Headers()))
	d.slots <- struct{}{}
	d.cmds.Start(d.ctx, cmd, func(r *aggregate.Reply, err error) {
		if asStrings && err == nil {
			r = replyWithStrings(r)
		}
		d.answer(to, cmd, r, err, began)
		<-d.slots
	})
}

// answer sends one; a caller that has gone has its command id.
func (d *natsDoor) answer(to string, cmd *aggregate.Command, r *aggregate.Reply, err error, began time.Time) {
	d.answered.Add(1)
	d.spent.Add(int64(time.Since(began)))
	if err != nil {
		d.refused.Add(1)
	}
	if to == "" {
		return
	}
	if err != nil {
		p := ProblemOf(err)
		_ = d.nc.PublishMsg(&nats.Msg{Subject: to, Data: problemBody(&p, cmd.CommandID), Header: nats.Header{
			micro.ErrorHeader: {headerText(p.message())}, micro.ErrorCodeHeader: {strconv.Itoa(p.Status)}}})
		return
	}
	buf := buffers.Get().(*[]byte)
	*buf = appendReply((*buf)[:0], r)
	_ = d.nc.Publish(to, *buf) // it copies
	buffers.Put(buf)
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
	tokens := strings.Split(req.Subject(), ".")
	if len(tokens) != 4 { // the endpoint's subject has four
		return cmd, &aggregate.ValidationError{Path: "subject", Message: "cmd.<tenant>.<type>.<id> is expected"}
	}
	c, err := d.caller(tokens[1], h)
	if err != nil {
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
	return cmd, d.policy.fill(cmd, &c, h)
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

func (h natsHeaders) meta(f func(key, value string)) {
	for name, v := range h {
		if key, ok := metaKey(name); ok && len(v) > 0 {
			f(key, v[0])
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
