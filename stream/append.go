package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/tidwall/gjson"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// fill codes the message into f. It depends on nothing but its arguments and the options.
func (l *Log) fill(f *flight, key aggregate.Key, at *aggregate.Mark, commits []aggregate.Commit) error {
	m := envelope.Message{Key: key, Prev: at.Hash, Commits: commits}
	body, err := envelope.Encode(slices.Grow(f.body[:0], sizeOf(commits)), &m)
	if err != nil {
		return err
	}
	if at.Sequence == 0 && *at != (aggregate.Mark{Stream: at.Stream}) {
		return fmt.Errorf("%w: the mark %+v has no sequence", envelope.ErrInvalid, *at)
	}
	if first := m.First(); first != 0 && first != at.Version.Next() {
		return fmt.Errorf("%w: its first event has version %d after version %d", envelope.ErrInvalid, first, at.Version)
	}
	f.key, f.lane, f.at, f.body, f.hash, f.last = key, l.lane(key), *at, body, envelope.HashOf(body), at.Version+aggregate.Version(m.Events())
	f.subject = l.opts.Layout.AppendSubject(f.subject[:0], key)
	owners := ""
	if l.opts.ExclusiveIDs && at.Sequence == 0 {
		owners = l.opts.Layout.Owners(key.Type, key.ID)
	}
	header := f.headers.Fill(f.subject, owners, &m, at)
	f.msg = nats.Msg{Subject: f.headers.Subject, Data: body, Header: header}
	return nil
}

// headerRoom is more than the headers of any message take.
const headerRoom = 2048

// MaxBody is the greatest body that fits into one message, in bytes. A body is its payloads and
// commands plus about 600 bytes a commit.
func (l *Log) MaxBody() int { return int(l.nc.MaxPayload()) - headerRoom }

// sizeOf is about the size of the body, so that its buffer need not grow.
func sizeOf(commits []aggregate.Commit) int {
	n := 384
	for i := range commits {
		c := &commits[i]
		n += 384 + len(c.Command) + len(c.Actor) + 64*len(c.Metadata) + 24*len(c.Roles)
		for j := range c.Events {
			n += 160 + len(c.Events[j].Type) + len(c.Events[j].Payload)
		}
	}
	return n
}

// Codes of JetStream's answers to a publish.
const (
	codeStale    = 10071 // the subject's last sequence is another one
	codeBusy     = 10164 // at R3: another guarded message on the subject is in flight
	codeTooLarge = 10054 // over the stream's max_msg_size
	codeTooMany  = 10167 // the server's queue is full
	tooMany      = 429
)

// send publishes the flight, the same bytes as often as the server is busy, and settles every
// answer that is not plain success. An answer that is there already is taken for the first.
func (l *Log) send(ctx context.Context, f *flight, first *ack) (aggregate.Sequence, error) {
	give := time.Now().Add(l.opts.AckWait)
	for delay := time.Millisecond; ; delay = min(2*delay, 100*time.Millisecond) {
		a, err := l.publish(ctx, f, first)
		if err != nil {
			return 0, err
		}
		first = nil
		switch {
		case a.plain():
			return a.seq, nil
		case a.code == 0:
			return l.settleDuplicate(ctx, f, a.seq)
		case a.code == codeStale:
			seq, err := l.settleConflict(ctx, f)
			if !errors.Is(err, errUnmoved) || time.Now().Add(delay).After(give) {
				return seq, err
			}
		case a.code == codeTooLarge:
			return 0, fmt.Errorf("%w: %s (stream's max_msg_size)", aggregate.ErrTooLarge, a.text)
		case !a.busy():
			return 0, refusedError{unavailable("the stream refuses the message: %s (%d)", a.text, a.code)}
		case time.Now().Add(delay).After(give):
			return 0, unavailable("the server is busy: %s (%d)", a.text, a.code)
		}
		if err := sleep(ctx, delay/2+rand.N(delay)); err != nil {
			return 0, err
		}
	}
}

// refusedError: the stream has answered that it does not take the message.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ack is the stream's answer to a publish.
type ack struct {
	seq       aggregate.Sequence
	duplicate bool
	code      int64 // err_code, 0 if it was taken
	status    int64 // code, like an HTTP status
	text      string
}

// publish sends the flight once and waits for the answer; a first answer that is there is given at once.
func (l *Log) publish(ctx context.Context, f *flight, first *ack) (ack, error) {
	if first != nil {
		return *first, nil
	}
	if !l.breaker.trouble.Load() {
		a, err := l.publishOnce(ctx, f)
		l.breaker.note(verdict(a, err))
		return a, err
	}
	var a ack
	var err error
	refused := l.breaker.guard(func() error {
		a, err = l.publishOnce(ctx, f)
		return verdict(a, err)
	})
	if err == nil && a == (ack{}) { // it was not tried
		err = refused
	}
	return a, err
}

// verdict is what an answer says of the server's health. A message too great for it is an answer, and
// what was not sent because too much is in flight (ErrUnavailable) says nothing.
func verdict(a ack, err error) error {
	if errors.Is(err, aggregate.ErrTooLarge) || errors.Is(err, aggregate.ErrUnavailable) {
		return nil
	}
	if err == nil && a.refused() {
		return errRefused
	}
	return err
}

var errRefused = errors.New("the stream refuses messages")

// refused tells whether the stream would not take any message now.
func (a *ack) refused() bool {
	return a.code != 0 && a.code != codeStale && a.code != codeTooLarge && !a.busy()
}

// busy tells whether the same message may be taken in a moment.
func (a *ack) busy() bool { return a.code == codeBusy || a.code == codeTooMany || a.status == tooMany }

// plain tells whether the message was taken now.
func (a *ack) plain() bool { return a.code == 0 && !a.duplicate }

func (l *Log) publishOnce(ctx context.Context, f *flight) (ack, error) {
	if err := l.connected(); err != nil {
		return ack{}, err
	}
	// A message of its own: the flight's may be under way still, with another subject for its answer.
	again := nats.Msg{Subject: f.msg.Subject, Header: f.msg.Header, Data: f.msg.Data}
	m, err := l.inbox.publish(&again, ctx.Done(), l.opts.AckWait)
	return f.readAck(ctx, m, err)
}

// connected refuses to send without a connection: nothing is buffered for one that may never come.
// A client library that has no buffer refuses by itself, under the lock that it takes anyway.
func (l *Log) connected() error {
	if l.nc.Opts.ReconnectBufSize >= 0 && !l.nc.IsConnected() {
		return errNoConnection
	}
	return nil
}

var errNoConnection = unavailable("no connection to the server")

// readAck puts what the inbox gave into our terms.
func (f *flight) readAck(ctx context.Context, m *nats.Msg, err error) (ack, error) {
	if err == nil {
		return parseAck(m, f.lane.name)
	}
	var lost lostError
	if errors.As(err, &lost) {
		err = fmt.Errorf("%w: %w", aggregate.ErrInDoubt, err)
		if ctx.Err() != nil {
			err = errors.Join(err, ctx.Err())
		}
		return ack{}, err
	}
	if errors.Is(err, nats.ErrMaxPayload) {
		return ack{}, fmt.Errorf("%w: the body is of %d bytes; with its headers it may be of %d (the server's max_payload)", aggregate.ErrTooLarge, len(f.body), f.log.nc.MaxPayload())
	}
	if errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrConnectionClosed) {
		return ack{}, errNoConnection
	}
	if errors.Is(err, errFull) {
		return ack{}, tooBusy(err)
	}
	return ack{}, unavailable("publish: %v", err)
}

// tooBusy: this process has too much in flight.
func tooBusy(err error) error {
	return &aggregate.UnavailableError{Reason: aggregate.ErrUnavailable, Message: err.Error(), RetryAfter: retryAfter}
}

// parseAck reads the answer of a stream. What another one has taken (of a leafnode's domain, say, with the
// same subjects) is not in the log.
func parseAck(m *nats.Msg, stream string) (ack, error) {
	if name, seq := plainAck(m.Data); seq > 0 && string(name) == stream {
		return ack{seq: seq}, nil
	}
	if nobodyListens(m) {
		return ack{}, unavailable("no stream takes the message")
	}
	// The server wrote this document; on malformed JSON gjson gives absent values.
	r := gjson.ParseBytes(m.Data)
	if e := r.Get("error"); e.Exists() {
		a := ack{code: e.Get("err_code").Int(), status: e.Get("code").Int(), text: e.Get("description").String()}
		if a.code == 0 {
			a.code = -1
		}
		return a, nil
	}
	a := ack{seq: aggregate.Sequence(r.Get("seq").Uint()), duplicate: r.Get("duplicate").Bool()}
	if a.seq == 0 {
		return ack{}, fmt.Errorf("%w: the answer is no ack: %.200q", aggregate.ErrInDoubt, m.Data)
	}
	if name := r.Get("stream").String(); name != stream {
		return ack{}, fmt.Errorf("%w: stream %q has acknowledged a message to stream %q: it takes the same subjects", aggregate.ErrInDoubt, name, stream)
	}
	return a, nil
}

// nobodyListens tells whether the answer is the server's, to a message that no one takes.
func nobodyListens(m *nats.Msg) bool {
	return len(m.Data) == 0 && m.Header.Get("Status") == noResponders
}

// plainAck reads the frequent answer, {"stream":"NAME","seq":N} to the letter, and gives 0 for any other.
func plainAck(b []byte) (stream []byte, seq aggregate.Sequence) {
	const begin, middle = `{"stream":"`, `","seq":`
	if len(b) < len(begin) || string(b[:len(begin)]) != begin {
		return nil, 0
	}
	b = b[len(begin):]
	end := bytes.IndexByte(b, '"')
	if end < 0 || len(b) < end+len(middle)+2 || string(b[end:end+len(middle)]) != middle || bytes.IndexByte(b[:end], '\\') >= 0 {
		return nil, 0
	}
	stream, b = b[:end], b[end+len(middle):]
	if len(b) > 19 || b[len(b)-1] != '}' {
		return nil, 0
	}
	for _, c := range b[:len(b)-1] {
		if c < '0' || c > '9' {
			return nil, 0
		}
		seq = seq*10 + aggregate.Sequence(c-'0')
	}
	return stream, seq
}

// settleDuplicate looks at the message that the server took for ours: only an equal body is.
func (l *Log) settleDuplicate(ctx context.Context, f *flight, seq aggregate.Sequence) (aggregate.Sequence, error) {
	s, err := l.leader(ctx, f.lane, request{Seq: seq})
	if err != nil && !errors.Is(err, errAbsent) {
		return 0, fmt.Errorf("%w: the message taken for a duplicate cannot be read: %w", aggregate.ErrInDoubt, err)
	}
	if err == nil && s.subject == f.msg.Subject && bytes.Equal(s.body, f.msg.Data) {
		return seq, nil
	}
	return 0, fmt.Errorf("%w: its message id belongs to another message, at sequence %d", aggregate.ErrConflict, seq)
}

// errUnmoved: the server called the guard stale, yet the subject stands where it says. At R3 the
// message that made it stale is still on its way; at R1 the server could not read its store.
var errUnmoved = unavailable("refused as stale, though nothing has changed")

// settleConflict finds out what stands after the guard: our own bytes from an earlier try, a
// message of another tenant, or another writer's.
func (l *Log) settleConflict(ctx context.Context, f *flight) (aggregate.Sequence, error) {
	s, err := l.leader(ctx, f.lane, request{Last: f.msg.Subject})
	if errors.Is(err, errAbsent) {
		if err := l.owned(ctx, f.key); err != nil {
			return 0, err
		}
		if f.at.Sequence == 0 {
			return 0, errUnmoved
		}
		return 0, fmt.Errorf("%w: the log has no message of it", aggregate.ErrConflict)
	}
	if err == nil && s.seq == f.at.Sequence && envelope.HashOf(s.body) == f.at.Hash {
		return 0, errUnmoved
	}
	if err == nil && s.seq > f.at.Sequence && !s.follows(f.at.Sequence) {
		// Others have gone on from there; ours may be the first of them.
		s, err = l.leader(ctx, f.lane, request{Seq: f.at.Sequence + 1, Next: f.msg.Subject})
	}
	if err != nil && !errors.Is(err, errAbsent) {
		return 0, fmt.Errorf("%w: refused as stale, and the message in its place cannot be read: %w", aggregate.ErrInDoubt, err)
	}
	if err == nil && bytes.Equal(s.body, f.msg.Data) {
		return s.seq, nil
	}
	return 0, fmt.Errorf("%w: it is not at sequence %d any more", aggregate.ErrConflict, f.at.Sequence)
}

// owned refuses key if ids are exclusive and the (type, id) has messages of another tenant.
func (l *Log) owned(ctx context.Context, key aggregate.Key) error {
	if !l.opts.ExclusiveIDs {
		return nil
	}
	s, err := l.leader(ctx, l.lane(key), request{Last: l.opts.Layout.Owners(key.Type, key.ID)})
	if errors.Is(err, errAbsent) {
		return nil
	}
	if err != nil {
		return err
	}
	owner, err := envelope.ParseSubject(s.subject)
	if err != nil {
		return fmt.Errorf("%w: %w", aggregate.ErrRehydration, err)
	}
	if owner.Tenant != key.Tenant {
		return &aggregate.TenantAccessDeniedError{TenantID: key.Tenant}
	}
	return nil
}
