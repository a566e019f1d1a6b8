package engine

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// The estimate by which flights are closed is never below the message that they become.
func TestEstimateIsAnUpperBound(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	text := rapid.StringN(0, 80, 300)
	rapid.Check(t, func(t *rapid.T) {
		key := aggregate.Key{Tenant: aggregate.TenantID(strings.Repeat("t", rapid.IntRange(0, 63).Draw(t, "tenant"))),
			Type: aggregate.Type("T" + strings.Repeat("y", rapid.IntRange(0, 63).Draw(t, "type"))), ID: idOf(1)}
		m := envelope.Message{Key: key, Prev: envelope.Hash{1}}
		size, version := messageBytes, aggregate.Version(1<<53-100)
		for range rapid.IntRange(1, 4).Draw(t, "commits") {
			c := aggregate.Commit{CommandID: idOf(2), CommandHash: hash, Timestamp: time.Date(2026, 11, 24, 10, 0, 0, 123456789, time.UTC),
				Actor: text.Draw(t, "actor"), Roles: rapid.SliceOfN(text, 0, 4).Draw(t, "roles"), Metadata: rapid.MapOfN(text, text, 0, 6).Draw(t, "metadata"),
				Manifest: "sha256:" + hash, Engine: "12.345.678-pre/12"}
			c.Command, _ = json.Marshal(map[string]string{"type": text.Draw(t, "command")})
			for range rapid.IntRange(0, 4).Draw(t, "events") {
				payload, _ := json.Marshal(map[string]string{"x": text.Draw(t, "payload")})
				version++
				c.Events = append(c.Events, aggregate.CommitEvent{EventID: idOf(3), Version: version, Type: strings.Repeat("e", rapid.IntRange(1, 60).Draw(t, "name")), Schema: 1 << 40, Payload: payload})
			}
			size += commitSize(&c)
			m.Commits = append(m.Commits, c)
		}
		if m.Events() == 0 {
			return
		}
		body, err := envelope.Encode(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		real := len(body) + len(envelope.Single.Subject(key))
		for k, v := range envelope.Headers(&m, aggregate.Mark{Version: m.First() - 1, Sequence: 1 << 62, Before: [aggregate.MarkBefore]aggregate.Sequence{1 << 61, 1 << 60, 1 << 59, 1 << 58, 1 << 57, 1 << 56, 1 << 55, 1 << 54}}) {
			real += len(k) + len(v[0]) + 4
		}
		if real > size {
			t.Fatalf("the message has %d bytes, the estimate is %d", real, size)
		}
	})
}
