package envelope

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/cloudlysis/aggregate"
)

// Format is the version of the stored form that this package writes and reads: the member v
// of a body and the header agg-format.
const Format = 1

// Kind is the only kind of message that this package writes and reads.
const Kind = "commits"

// Hash is the sha256 of a body. The zero Hash stands for "no body".
type Hash [sha256.Size]byte

// HashOf gives the hash of a stored body.
func HashOf(body []byte) Hash { return sha256.Sum256(body) }

// String is the lower case hex form, or empty for the zero Hash.
func (h Hash) String() string {
	if h == (Hash{}) {
		return ""
	}
	return hex.EncodeToString(h[:])
}

// Message is one stored message: the commits of one flight of one aggregate.
type Message struct {
	Key aggregate.Key
	// Prev is the hash of the body before it on its subject, zero for the first.
	Prev Hash
	// Commits holds one or more commits, all decided by one manifest and engine.
	Commits []aggregate.Commit
}

// Events counts the events of all commits; it is 0 when each of them changed nothing.
func (m *Message) Events() int {
	n := 0
	for i := range m.Commits {
		n += len(m.Commits[i].Events)
	}
	return n
}

// First is the version of the first event, 0 when there is none.
func (m *Message) First() aggregate.Version {
	for i := range m.Commits {
		if es := m.Commits[i].Events; len(es) > 0 {
			return es[0].Version
		}
	}
	return 0
}

// Last is the version of the last event, 0 when there is none.
func (m *Message) Last() aggregate.Version {
	if first := m.First(); first > 0 {
		return first + aggregate.Version(m.Events()) - 1
	}
	return 0
}
