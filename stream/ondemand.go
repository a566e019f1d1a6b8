package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

const (
	// defaultMaxStreams is how many streams may be there before a tenant without one is refused.
	defaultMaxStreams = 1000
	// lookEvery is how soon a stream is noticed that another node made or an operator deleted.
	lookEvery = 2 * time.Second
	// createWait is how long the making of a stream may take: a cluster has to find room and a leader for it.
	createWait = 10 * time.Second
	// insistTry is how long one question about a new stream waits for its answer.
	insistTry = time.Second
	// fullRetry is what callers are told to wait when there is no room for their stream: an operator has to make it.
	fullRetry = time.Minute
)

// find looks for a stream that this log does not know. nil: there is none.
func (l *Log) find(ctx context.Context, stream string) (*lane, error) {
	if l.opts.Unshared { // nobody else makes streams
		return nil, nil
	}
	if err := l.pass(ctx); err != nil {
		return nil, err
	}
	passage := l.gate.passage()
	ln := newLane(stream)
	var info *jetstream.StreamInfo
	err := l.guarded(ctx, func() (err error) {
		info, err = l.insist(ctx, l.opts.AckWait, ln, l.existing)
		return err
	})
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return l.add(ln, info, passage)
}

// board gives the incarnation that a flight goes to. The first flight of a tenant or type has its
// stream made; one that follows another finds it, or what it follows is gone.
func (l *Log) board(ctx context.Context, f *flight) (*incarnation, error) {
	if f.lane == nil {
		if err := l.settleIn(ctx, f); err != nil {
			return nil, err
		}
	}
	inc, err := l.enter(ctx, f.lane)
	if err == nil && inc.deleted() {
		return nil, unavailable("stream %s was deleted", f.lane.name)
	}
	return inc, err
}

// settleIn finds or makes the stream of a flight.
func (l *Log) settleIn(ctx context.Context, f *flight) error {
	stream := l.opts.Layout.Stream(f.key)
	ln, err := l.find(ctx, stream)
	if err == nil && ln == nil && f.at.Sequence > 0 {
		err = fmt.Errorf("%w: %w: there is no stream %s", aggregate.ErrConflict, aggregate.ErrStaleMark, stream)
	}
	if err == nil && ln == nil {
		ln, err = l.create(ctx, stream)
	}
	f.lane = ln
	return err
}

// create makes a stream, once for all who wait for it. It goes on when they have left.
func (l *Log) create(ctx context.Context, stream string) (*lane, error) {
	if err := l.pass(ctx); err != nil {
		return nil, err
	}
	m, err := l.begin(stream)
	if err != nil {
		return nil, err
	}
	select {
	case <-m.done:
		return m.lane, m.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// begin makes a start with a stream, if nobody has.
func (l *Log) begin(stream string) (*making, error) {
	s := &l.lanes
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.making[stream]
	if m != nil {
		return m, nil
	}
	m = &making{done: make(chan struct{}), lane: s.named(stream)}
	if m.lane != nil {
		close(m.done)
		return m, nil
	}
	if s.closing {
		return nil, unavailable("the log is closed")
	}
	if err := l.room(stream); err != nil {
		return nil, err
	}
	s.making[stream] = m
	passage := l.gate.passage()
	l.done.Go(func() {
		m.lane, m.err = l.establish(passage, stream)
		s.mu.Lock()
		delete(s.making, stream)
		s.mu.Unlock()
		close(m.done)
	})
	return m, nil
}

// establish makes a stream while the connection lasts.
func (l *Log) establish(passage context.Context, stream string) (*lane, error) {
	ln := newLane(stream)
	var info *jetstream.StreamInfo
	err := l.guarded(passage, func() (err error) {
		info, err = l.insist(passage, createWait, ln, l.ensure)
		return err
	})
	if passage.Err() != nil {
		return nil, unavailable("the connection was lost while stream %s was made", stream)
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", stream, err)
	}
	l.opts.Logger.Info("a stream was made", "stream", stream)
	return l.add(ln, info, passage)
}

// existing is ensure for a stream that is not to be made.
func (l *Log) existing(ctx context.Context, ln *lane) (*jetstream.StreamInfo, error) {
	info, err := l.info(ctx, ln)
	if err != nil {
		return nil, err
	}
	return info, suits(&info.Config, l.config(ln))
}

// insist looks at a stream that may be new until it takes messages from here. In a cluster a stream
// has no leader at first, who does not answer, and then each server has to hear of its subjects.
func (l *Log) insist(ctx context.Context, wait time.Duration, ln *lane, look func(context.Context, *lane) (*jetstream.StreamInfo, error)) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for delay := time.Millisecond; ; delay = min(2*delay, askPause) {
		try, cancel := context.WithTimeout(ctx, insistTry)
		info, err := look(try, ln)
		if err == nil && !l.opts.Unshared {
			err = l.knock(try, ln)
		}
		late := try.Err() != nil
		cancel()
		if err == nil || !late && !errors.Is(err, errUnheard) || ctx.Err() != nil {
			return info, err
		}
		if err := sleep(ctx, delay); err != nil {
			return nil, unavailable("stream %s does not take messages yet", ln.name)
		}
	}
}

// errUnheard: no stream listens to the subject, as far as this server knows.
var errUnheard = unavailable("no stream takes messages yet")

// knock sends a message that the stream must refuse, as it names another one; any refusal will do.
func (l *Log) knock(ctx context.Context, ln *lane) error {
	subject := strings.NewReplacer("*", "_", ">", "_").Replace(l.config(ln).Subjects[0])
	m, err := l.nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: subject, Header: nats.Header{jetstream.ExpectedStreamHeader: {"-"}}})
	if errors.Is(err, nats.ErrNoResponders) {
		return errUnheard
	}
	if err != nil {
		return streamError(err, "knock")
	}
	a, err := parseAck(m, ln.name)
	if err == nil && a.code == 0 { // it must not happen: then nothing that is said of this stream holds
		return unavailable("stream %s took a message that was meant for another", ln.name)
	}
	return err
}

// room tells whether another stream may be made. The lock of the lanes is held.
//
// A tenant is invented by whoever may name one: the holder of a token that names it, or, without
// authentication, anybody. Each stream costs the server files, memory and a look in each round of
// syncs, for ever; so there is a bound, and what it refuses costs nothing.
func (l *Log) room(stream string) error {
	s := &l.lanes
	if n := len(s.all()) + len(s.making); n >= l.opts.MaxStreams {
		return &aggregate.UnavailableError{Reason: aggregate.ErrQuota, RetryAfter: fullRetry,
			Message: fmt.Sprintf("there is no stream %s, and no room for it: the log has %d streams, stream.max_streams is %d", stream, n, l.opts.MaxStreams)}
	}
	if !l.opts.FoldCase {
		return nil
	}
	clash := func(other string) error {
		return &aggregate.ValidationError{Path: l.partName(),
			Message: fmt.Sprintf("stream %s cannot stand beside %s: the server's file system takes their folders for one", stream, other)}
	}
	for _, ln := range s.all() {
		if strings.EqualFold(ln.name, stream) {
			return clash(ln.name)
		}
	}
	for other := range s.making {
		if strings.EqualFold(other, stream) {
			return clash(other)
		}
	}
	return nil
}

// partName is what the layout goes by.
func (l *Log) partName() string {
	if l.opts.Layout == envelope.PerType {
		return "aggregate_type"
	}
	return "tenant_id"
}

// appear waits for a stream to be there.
func (l *Log) appear(ctx context.Context, stream string) (*lane, error) {
	for {
		growth := l.lanes.growth()
		ln := l.lanes.named(stream)
		if ln == nil {
			var err error
			if ln, err = l.find(ctx, stream); err != nil {
				return nil, err
			}
		}
		if ln != nil {
			return ln, nil
		}
		select {
		case <-growth:
		case <-l.closed:
			return nil, unavailable("the log is closed")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// openOnDemand finds the streams that are there. Those of another layout or service would take
// subjects that ours need.
func (l *Log) openOnDemand(ctx context.Context) error {
	names, err := l.list(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if l.opts.Layout.Subjects(name) == nil {
			return &UnsuitableError{Stream: name, Problems: []string{"it holds subjects of aggregates and is none of the layout " + l.opts.Layout.String() +
				": the log was begun with another stream.layout, or another service takes its events"}}
		}
		ln := newLane(name)
		info, err := l.insist(ctx, createWait, ln, l.ensure)
		if err != nil {
			return err
		}
		if _, err := l.add(ln, info, nil); err != nil {
			return err
		}
	}
	return nil
}

// list names the streams that hold subjects of aggregates.
func (l *Log) list(ctx context.Context) (names []string, err error) {
	lister := l.js.StreamNames(ctx, jetstream.WithStreamListSubject(envelope.AllSubjects))
	for name := range lister.Name() {
		names = append(names, name)
	}
	if err := lister.Err(); err != nil {
		return nil, streamError(err, "list")
	}
	return names, nil
}

// look brings the lanes up to date with the server: those that others made come in, those that
// were deleted go. passage is nil where nobody appends, as the gate is closed.
func (l *Log) look(ctx context.Context, passage context.Context) error {
	if !l.opts.Layout.OnDemand() {
		return nil
	}
	before := l.lanes.all()
	names, err := l.list(ctx)
	if err != nil {
		return err
	}
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
		if l.lanes.named(name) == nil {
			if err := l.meet(ctx, name, passage); err != nil {
				return err
			}
		}
	}
	var gone []*lane
	for _, ln := range before {
		if !there[ln.name] {
			gone = append(gone, ln)
		}
	}
	if len(gone) > 0 && len(gone) == len(before) {
		return unavailable("none of the %d streams that were known is there: it is another server, or its data is lost; restart to begin anew", len(gone))
	}
	for _, ln := range gone {
		l.drop(ln)
	}
	return nil
}

// meet takes in a stream that somebody else made. One that is not as it should be concerns only
// those who ask for it, and they are told.
func (l *Log) meet(ctx context.Context, stream string, passage context.Context) error {
	if l.opts.Layout.Subjects(stream) == nil {
		return nil
	}
	ln := newLane(stream)
	info, err := l.insist(ctx, createWait, ln, l.existing)
	var unsuitable *UnsuitableError
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound): // deleted since it was listed
		return nil
	case errors.As(err, &unsuitable):
		l.opts.Logger.Warn("a stream that somebody else made cannot be used", "stream", stream, "error", err)
		return nil
	case err != nil:
		return err
	}
	_, err = l.add(ln, info, passage)
	return err
}

// lookOut looks now and then until ctx ends.
func (l *Log) lookOut(ctx context.Context) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if !l.nc.IsConnected() || l.gate.closed() { // watch looks
			continue
		}
		if err := l.look(ctx, l.gate.passage()); err != nil && ctx.Err() == nil {
			l.opts.Logger.Warn("the streams of the log cannot be listed", "layout", l.opts.Layout.String(), "error", err)
		}
	}
}
