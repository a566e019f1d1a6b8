package stream

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// BenchmarkFill makes the message of one flight, and then its headers as the client library
// writes them: all that an append costs before a byte leaves.
func BenchmarkFill(b *testing.B) {
	l := &Log{}
	l.lanes.known.Store(&laneSet{all: []*lane{newLane(envelope.StreamName)}})
	key := newKey("acme")
	at := aggregate.Mark{Version: 7, Sequence: 4711, Hash: [32]byte{1}, Stream: "one", Before: [aggregate.MarkBefore]aggregate.Sequence{4000, 3900, 3100, 2500, 2000, 1000, 900, 10}}
	commits := []aggregate.Commit{commit(key, at.Version, 1)}
	var offline nats.Conn // writes the headers and then refuses them
	for _, c := range []struct {
		name  string
		write bool
	}{{"message", false}, {"and headers", true}} {
		b.Run(c.name, func(b *testing.B) {
			var f flight
			b.ReportAllocs()
			for b.Loop() {
				if err := l.fill(&f, key, &at, commits); err != nil {
					b.Fatal(err)
				}
				if c.write && offline.PublishMsg(&f.msg) != nats.ErrHeadersNotSupported {
					b.Fatal("sent")
				}
			}
		})
	}
}
