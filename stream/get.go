package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// stored is one message as the log holds it.
type stored struct {
	seq     aggregate.Sequence
	subject string
	header  nats.Header
	body    []byte
}

// follows tells whether the message says of itself that it came right after the one at seq.
func (s *stored) follows(seq aggregate.Sequence) bool {
	prev, ok := envelope.PrevSequence(s.header)
	return ok && prev == seq
}

// request asks for one message: by sequence, the last on a subject, or the next on one from a sequence.
type request struct {
	Seq  aggregate.Sequence `json:"seq,omitempty"`
	Last string             `json:"last_by_subj,omitempty"`
	Next string             `json:"next_by_subj,omitempty"`
}

func (r request) data() []byte {
	if r.Last == "" && r.Next == "" { // the frequent one, without reflection
		return append(strconv.AppendUint([]byte(`{"seq":`), uint64(r.Seq), 10), '}')
	}
	b, _ := json.Marshal(r) // strings and a number: it cannot fail
	return b
}

// errAbsent: the log holds no such message.
var errAbsent = errors.New("no such message")

// direct asks any replica that holds the stream; r.Last has no wildcard. At R3 it may lag behind what was acknowledged.
func (l *Log) direct(ctx context.Context, ln *lane, r request) (*stored, error) {
	if ln == nil { // a stream that was never made holds nothing
		return nil, errAbsent
	}
	subject, data := ln.get, []byte(nil)
	if r.Last != "" {
		subject += "." + r.Last // the frequent form: the server parses no JSON
	} else {
		data = r.data()
	}
	for delay := time.Millisecond; ; delay *= 2 {
		m, err := l.request(ctx, l.reads, subject, data)
		if err != nil {
			return nil, err
		}
		switch status := m.Header.Get("Status"); status {
		case "":
			return fromDirect(m)
		case absent:
			return nil, errAbsent
		case "429":
			if delay > 200*time.Millisecond {
				return nil, unavailable("the server is busy")
			}
			if err := sleep(ctx, delay); err != nil {
				return nil, err
			}
		default:
			return nil, unavailable("get from %s: %s %s", ln.name, status, m.Header.Get("Description"))
		}
	}
}

func fromDirect(m *nats.Msg) (*stored, error) {
	seq, err := strconv.ParseUint(first(m.Header, jetstream.SequenceHeader), 10, 64)
	subject := first(m.Header, jetstream.SubjectHeader)
	if err != nil || subject == "" {
		return nil, unavailable("the server's answer names no sequence and subject")
	}
	return &stored{seq: aggregate.Sequence(seq), subject: subject, header: m.Header, body: m.Data}, nil
}

func first(h nats.Header, name string) string {
	// The server adds its own headers behind those that the message was stored with.
	if v := h[name]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// leader asks the stream's leader, who knows everything that was acknowledged.
func (l *Log) leader(ctx context.Context, ln *lane, r request) (*stored, error) {
	if ln == nil {
		return nil, errAbsent
	}
	m, err := l.request(ctx, l.inbox, "$JS.API.STREAM.MSG.GET."+ln.name, r.data())
	if err != nil {
		return nil, err
	}
	var reply struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Subject string             `json:"subject"`
			Seq     aggregate.Sequence `json:"seq"`
			Header  []byte             `json:"hdrs"`
			Data    []byte             `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(m.Data, &reply); err != nil {
		return nil, unavailable("the server's answer cannot be read: %v", err)
	}
	if e := reply.Error; e != nil {
		if e.ErrorCode == jetstream.JSErrCodeMessageNotFound || e.ErrorCode == 0 && e.Code == http.StatusNotFound {
			return nil, errAbsent
		}
		return nil, unavailable("get from %s: %s (%d)", ln.name, e.Description, e.ErrorCode)
	}
	s := &stored{seq: reply.Message.Seq, subject: reply.Message.Subject, body: reply.Message.Data}
	if len(reply.Message.Header) > 0 {
		if s.header, err = nats.DecodeHeadersMsg(reply.Message.Header); err != nil {
			return nil, fmt.Errorf("%w: headers of the message at sequence %d: %w", aggregate.ErrRehydration, s.seq, err)
		}
	}
	return s, nil
}

// Questions are asked again after short waits, for as long as an ack is waited for: a cluster
// without a leader does not answer at all, and the answer comes soon after it has one.
const (
	askWait  = 2 * time.Second
	askPause = 50 * time.Millisecond
)

// request asks the server. All reads but consumers pass here.
func (l *Log) request(ctx context.Context, in *inbox, subject string, data []byte) (*nats.Msg, error) {
	if !l.breaker.trouble.Load() {
		m, err := l.ask(ctx, in, subject, data)
		l.breaker.note(verdict(ack{}, err))
		return m, err
	}
	var m *nats.Msg
	err := l.breaker.guard(func() (err error) {
		m, err = l.ask(ctx, in, subject, data)
		return err
	})
	return m, err
}

// ask asks until there is an answer, for a while.
func (l *Log) ask(ctx context.Context, in *inbox, subject string, data []byte) (*nats.Msg, error) {
	for give := time.Now().Add(l.opts.AckWait); ; {
		m, err := in.publish(&nats.Msg{Subject: subject, Data: data}, ctx.Done(), askWait)
		if err == nil && nobodyListens(m) {
			err = nats.ErrNoResponders
		}
		if err == nil {
			return m, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, errFull) {
			return nil, tooBusy(err)
		}
		var lost lostError
		if !errors.As(err, &lost) && !isGone(err) || in.nc.IsClosed() || time.Now().After(give) {
			return nil, unavailable("the server does not answer: %v", err)
		}
		if err := sleep(ctx, askPause); err != nil {
			return nil, err
		}
	}
}

// Statuses of answers that are no message.
const (
	absent       = "404"
	noResponders = "503"
)

// ahead asks for several messages in one flight and gives them in the same order, as far as they
// came: it spares round trips, and whoever misses one asks for it by itself.
func (l *Log) ahead(ctx context.Context, ln *lane, seqs []aggregate.Sequence) []*stored {
	if ln == nil || l.breaker.trouble.Load() {
		return nil
	}
	slots := make([]*slot, 0, len(seqs))
	for _, seq := range seqs {
		s, err := l.reads.send(&nats.Msg{Subject: ln.get, Data: request{Seq: seq}.data()}, ctx.Done(), askWait)
		if err != nil {
			break
		}
		slots = append(slots, s)
	}
	var out []*stored
	whole := true
	for _, s := range slots {
		if !whole {
			l.reads.giveBack(s)
			continue
		}
		m, err := l.reads.await(s)
		if whole = err == nil && m.Header.Get("Status") == ""; !whole {
			continue
		}
		got, err := fromDirect(m)
		if whole = err == nil; whole {
			out = append(out, got)
		}
	}
	return out
}

// streamError puts an error of the client library into our terms.
func streamError(err error, what string) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if isGone(err) {
		return unavailable("%s: %v", what, err)
	}
	return fmt.Errorf("%w: %s: %w", aggregate.ErrStream, what, err)
}
