package torture

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// readTimeout bounds one reading of the log.
const readTimeout = 60 * time.Second

// stored is the log by aggregate, read by a JetStream client like any other: each one's commits in order.
type stored map[aggregate.Key][]aggregate.Commit

// readLog reads all that is stored and checks each message, and each one's fit to the one before it.
func readLog(ctx context.Context, url string) (stored, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	nc, err := nats.Connect(url, nats.MaxReconnects(5))
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	info, err := lastSequence(ctx, js)
	if err != nil || info == 0 {
		return stored{}, err
	}
	c, err := js.OrderedConsumer(ctx, envelope.StreamName, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, err
	}
	messages, err := c.Messages()
	if err != nil {
		return nil, err
	}
	defer messages.Stop()
	return collect(ctx, messages, info)
}

func lastSequence(ctx context.Context, js jetstream.JetStream) (uint64, error) {
	s, err := js.Stream(ctx, envelope.StreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	state := s.CachedInfo().State
	if state.Msgs == 0 {
		return 0, nil
	}
	return state.LastSeq, nil
}

func collect(ctx context.Context, messages jetstream.MessagesContext, last uint64) (stored, error) {
	out := stored{}
	chain := map[aggregate.Key]envelope.Hash{}
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("read the log: %w", err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return nil, err
		}
		body, err := envelope.Decode(m.Data())
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", meta.Sequence.Stream, err)
		}
		if body.Prev != chain[body.Key] {
			return nil, fmt.Errorf("message %d: %w: %s breaks its chain of hashes", meta.Sequence.Stream, aggregate.ErrRehydration, body.Key)
		}
		chain[body.Key] = envelope.HashOf(m.Data())
		out[body.Key] = append(out[body.Key], body.Commits...)
		if meta.Sequence.Stream >= last {
			return out, nil
		}
	}
}
