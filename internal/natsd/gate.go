package natsd

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	gateDurable  = "aggd.gate.CONSUMER.DURABLE.CREATE"
	gatePrefix   = "aggd.gate."
	apiPrefix    = "$JS.API."
	gateWorkers  = 8
	gateTimeout  = 5 * time.Second
	gateQueueLen = 1024
)

// openGate answers the requests of local clients to make a consumer: a pull consumer is made, a push consumer refused.
// A deliver subject is published to by the server itself, so it could name tenant.> or the JetStream API.
// The returned function ends the workers and waits for them.
func openGate(nc *nats.Conn) (stop func(), err error) {
	requests := make(chan *nats.Msg, gateQueueLen)
	for _, subject := range []string{gateCreate + ".>", gateDurable + ".>"} {
		if _, err := nc.ChanSubscribe(subject, requests); err != nil {
			return nil, fmt.Errorf("open the gate for consumers: %w", err)
		}
	}
	if err := nc.Flush(); err != nil {
		return nil, fmt.Errorf("open the gate for consumers: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	for range gateWorkers {
		workers.Go(func() { workGate(ctx, nc, requests) })
	}
	return func() { cancel(); workers.Wait() }, nil
}

func workGate(ctx context.Context, nc *nats.Conn, requests <-chan *nats.Msg) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-requests:
			passGate(ctx, nc, m)
		}
	}
}

// passGate forwards one request unchanged and its answer back. Without an answer the client times out, as it would
// with a server that is away.
func passGate(ctx context.Context, nc *nats.Conn, m *nats.Msg) {
	if refusal := judgeConsumer(m.Data); refusal != nil {
		_ = m.Respond(refusal)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, gateTimeout)
	defer cancel()
	forward := &nats.Msg{Subject: apiPrefix + strings.TrimPrefix(m.Subject, gatePrefix), Data: m.Data, Header: apiHeader(m.Header)}
	answer, err := nc.RequestMsgWithContext(ctx, forward)
	if err != nil {
		return
	}
	_ = m.RespondMsg(&nats.Msg{Data: answer.Data, Header: answer.Header})
}

// apiHeader keeps the one header that the API reads; the server's own and those that steer tracing stay behind.
func apiHeader(h nats.Header) nats.Header {
	const level = "Nats-Required-Api-Level"
	if v, ok := h[level]; ok {
		return nats.Header{level: v}
	}
	return nil
}

// judgeConsumer returns the API's refusal if the request is for a push consumer, nil if it may pass. It decodes with the server's
// own type and decoder, so that both read the same out of odd JSON (keys twice, keys in another case).
func judgeConsumer(data []byte) []byte {
	var req server.CreateConsumerRequest
	if err := json.Unmarshal(data, &req); err != nil {
		return refuseConsumer("invalid JSON: " + err.Error())
	}
	if req.Config.DeliverSubject != "" || req.Config.DeliverGroup != "" {
		return refuseConsumer("push consumers are not for local clients of aggd: make a pull consumer, without deliver_subject")
	}
	return nil
}

func refuseConsumer(why string) []byte {
	out, err := json.Marshal(server.JSApiConsumerCreateResponse{ApiResponse: server.ApiResponse{
		Type:  server.JSApiConsumerCreateResponseType,
		Error: &server.ApiError{Code: 403, ErrCode: uint16(server.JSConsumerCreateErrF), Description: why},
	}})
	if err != nil {
		return []byte(`{"error":{"code":403,"description":"refused"}}`)
	}
	return out
}
