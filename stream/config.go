package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudlysis/aggregate/stream/envelope"
)

// window is the server's window for duplicate message ids. Exactness never rests on it; each id
// in it costs the server 163 bytes.
const window = 10 * time.Second

// config is how Open creates the stream of a lane.
func (l *Log) config(ln *lane) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        ln.name,
		Description: "Events of all aggregates; each message is one flight of commits (docs/events.md).",
		Subjects:    l.opts.Layout.Subjects(ln.name),
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		Storage:     jetstream.FileStorage,
		Replicas:    l.opts.Replicas,
		Duplicates:  window,
		AllowDirect: true,
		DenyDelete:  true,
		DenyPurge:   true,
		MaxMsgs:     -1, MaxBytes: -1, MaxMsgsPerSubject: -1, MaxMsgSize: -1, MaxConsumers: -1,
	}
}

// ensure gives the state of a lane's stream, after creating it when absent.
func (l *Log) ensure(ctx context.Context, ln *lane) (*jetstream.StreamInfo, error) {
	info, err := l.existing(ctx, ln)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		// Two nodes may create it at once: the same settings are no error for the second.
		if _, err = l.js.CreateStream(ctx, l.config(ln)); err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return nil, createError(err, l.opts.Layout)
		}
		if info, err = l.existing(ctx, ln); errors.Is(err, jetstream.ErrStreamNotFound) { // a cluster has heard of it, and no more
			err = errUnheard
		}
	}
	return info, err
}

// codeOverlap: another stream has some of the subjects.
const codeOverlap = 10065

func createError(err error, layout envelope.Layout) error {
	var refused *jetstream.APIError
	if errors.As(err, &refused) && refused.ErrorCode == codeOverlap {
		return fmt.Errorf("%w: the log was begun with another stream.layout than %s, or another service takes its events", streamError(err, "create"), layout)
	}
	return streamError(err, "create")
}

// info asks the leader for the stream's settings and state.
func (l *Log) info(ctx context.Context, ln *lane) (*jetstream.StreamInfo, error) {
	s, err := l.js.Stream(ctx, ln.name) // asks for the info as well
	if err != nil {
		return nil, streamError(err, "info")
	}
	return s.CachedInfo(), nil
}

// UnsuitableError tells which settings of an existing stream break promises of the log.
type UnsuitableError struct {
	Stream   string
	Problems []string
}

func (e *UnsuitableError) Error() string {
	return fmt.Sprintf("stream %s is unsuitable: %s; change it with `nats stream edit`, or move its messages to a stream made by aggd",
		e.Stream, strings.Join(e.Problems, "; "))
}

// suits refuses settings under which events could vanish, be changed, or be read too early. More
// replicas, a limit of bytes (new messages are refused at it) and placement are the operator's.
func suits(have *jetstream.StreamConfig, want jetstream.StreamConfig) error {
	var p []string
	check := func(ok bool, format string, args ...any) {
		if !ok {
			p = append(p, fmt.Sprintf(format, args...))
		}
	}
	check(slices.Equal(have.Subjects, want.Subjects), "subjects %v instead of %v", have.Subjects, want.Subjects)
	check(have.Retention == jetstream.LimitsPolicy, "retention %v instead of limits", have.Retention)
	check(have.Discard == jetstream.DiscardNew, "discard old instead of new: a limit would drop the oldest events")
	check(have.Storage == jetstream.FileStorage, "storage in memory instead of files")
	check(have.MaxAge == 0, "max age %v: events are kept for ever", have.MaxAge)
	check(have.MaxMsgsPerSubject <= 0, "at most %d messages per subject: an aggregate has any number", have.MaxMsgsPerSubject)
	check(have.AllowDirect, "no direct get: set allow_direct")
	check(have.DenyDelete && have.DenyPurge, "messages may be deleted: set deny_delete and deny_purge")
	check(!have.AllowRollup && !have.AllowMsgTTL && have.SubjectDeleteMarkerTTL == 0, "a message may remove others: clear allow_rollup_hdrs and allow_msg_ttl")
	check(!have.AllowMsgCounter && !have.AllowMsgSchedules, "counters or schedules: clear allow_msg_counter and allow_msg_schedules")
	check(!have.NoAck, "no acks: clear no_ack")
	check(!have.Sealed, "it is sealed")
	check(have.Compression == jetstream.NoCompression, "compression: it rewrites blocks that were synced")
	check(have.PersistMode == jetstream.DefaultPersistMode, "persist mode async: it acknowledges before it writes")
	check(have.Mirror == nil && len(have.Sources) == 0, "it is fed by other streams")
	check(have.SubjectTransform == nil, "it changes subjects")
	check(have.Replicas >= want.Replicas, "%d replicas instead of %d", have.Replicas, want.Replicas)
	if len(p) > 0 {
		return &UnsuitableError{Stream: have.Name, Problems: p}
	}
	return nil
}
