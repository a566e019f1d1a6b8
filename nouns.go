package aggregate

import (
	"encoding/json"
	"time"
)

// Command is a request to one aggregate. It may be refused.
type Command struct {
	TenantID      TenantID `json:"tenant_id"`
	CommandID     ID       `json:"command_id"` // a repeat with the same id gets the first reply
	AggregateID   ID       `json:"aggregate_id"`
	AggregateType Type     `json:"aggregate_type"`
	// Payload is one JSON object as the client sent it: "type" names the command, the other
	// members are its fields.
	Payload json.RawMessage `json:"payload"`
	// Metadata becomes ctx.meta of the decision. The keys actor, correlation_id, causation_id
	// and traceparent are the engine's own.
	Metadata map[string]string `json:"metadata,omitempty"`
	Roles    []string          `json:"roles,omitempty"` // ctx.roles
	Actor    string            `json:"actor,omitempty"` // who asks, as authenticated
	// ExpectedVersion, when not nil, refuses the command with a VersionConflict unless the
	// aggregate stands exactly there.
	ExpectedVersion *Version `json:"expected_version,omitempty"`
}

// Key names the aggregate that the command is for.
func (c *Command) Key() Key { return Key{c.TenantID, c.AggregateType, c.AggregateID} }

// CommitEvent is one fact inside a [Commit].
type CommitEvent struct {
	EventID ID
	Version Version         // of the aggregate after this event
	Type    string          // event_type, such as withdrawn
	Schema  int             // the event's declared version, from 1
	Payload json.RawMessage // one JSON object: every declared field, in declaration order
}

// Commit is one accepted command with all its events: all of them are stored, or none.
type Commit struct {
	CommandID ID
	// CommandHash is the lower case hex sha256 of the payload in canonical form.
	CommandHash string
	Command     json.RawMessage // the payload as sent; empty when only hashes are kept
	Timestamp   time.Time       // UTC; ctx.now of the decision
	Actor       string
	Roles       []string
	Metadata    map[string]string
	Events      []CommitEvent
	// Manifest is "sha256:…" of the source set that decided, Engine the engine and bytecode version.
	Manifest string
	Engine   string
}

// Mark is where an aggregate stands in the log. It is filled by package stream and opaque to
// all others, who keep it and hand it back. The zero Mark is the beginning.
type Mark struct {
	Version  Version  `json:"version"`
	Sequence Sequence `json:"sequence"`
	// Hash is the sha256 of the last message's body.
	Hash [32]byte `json:"hash"`
	// Stream names the stream and its incarnation (name and creation time), so that a mark is
	// never taken for one of a stream that was made anew.
	Stream string `json:"stream"`
	// Before holds the sequences of the messages before that one, the newest first, as far as they
	// are known and 0 behind them: what is appended next names them, so that a load can ask for
	// many messages at once. They are hints.
	Before [MarkBefore]Sequence `json:"before,omitzero"`
}

// MarkBefore is how many earlier messages a [Mark] names.
const MarkBefore = 8

// Follow gives the Before of a mark that comes right after m.
func (m *Mark) Follow() (b [MarkBefore]Sequence) {
	b[0] = m.Sequence
	copy(b[1:], m.Before[:])
	return b
}

// Loaded is one commit read from the log and the mark of the message that holds it.
type Loaded struct {
	Commit Commit
	Mark   Mark
	// Last tells that this is the last commit of its message: the aggregate stands at Mark.
	Last bool
}

// Event is one fact in its own envelope, as readers of the log receive it.
type Event struct {
	TenantID      TenantID          `json:"tenant_id"`
	EventID       ID                `json:"event_id"`
	AggregateID   ID                `json:"aggregate_id"`
	AggregateType Type              `json:"aggregate_type"`
	Version       Version           `json:"version"`
	EventType     string            `json:"event_type"`
	Schema        int               `json:"schema"`
	Payload       json.RawMessage   `json:"payload"`
	CommandID     ID                `json:"command_id"`
	Timestamp     time.Time         `json:"timestamp"`
	Metadata      map[string]string `json:"metadata,omitempty"`
}

// EventsOf gives the events of one commit of key, each in its own envelope.
func EventsOf(key Key, c *Commit) []Event {
	out := make([]Event, len(c.Events))
	for i := range c.Events {
		out[i] = EventOf(key, c, i)
	}
	return out
}

// EventOf gives event i of one commit of key in its own envelope.
func EventOf(key Key, c *Commit, i int) Event {
	e := &c.Events[i]
	return Event{TenantID: key.Tenant, EventID: e.EventID, AggregateID: key.ID, AggregateType: key.Type,
		Version: e.Version, EventType: e.Type, Schema: e.Schema, Payload: e.Payload,
		CommandID: c.CommandID, Timestamp: c.Timestamp, Metadata: c.Metadata}
}

// Snapshot is a state as of a [Mark], kept so that a load needs only the commits after it.
// Its loss costs time, never an event.
type Snapshot struct {
	TenantID      TenantID        `json:"tenant_id"`
	AggregateID   ID              `json:"aggregate_id"`
	AggregateType Type            `json:"aggregate_type"`
	Version       Version         `json:"version"`
	State         json.RawMessage `json:"state"`
	CreatedAt     time.Time       `json:"created_at"`
	Mark          Mark            `json:"mark"`
	// Fingerprint names the shape of the state and the rules that made it; another one drops
	// the snapshot.
	Fingerprint string `json:"fingerprint"`
	// UpdatedAt is the timestamp of the last commit in State.
	UpdatedAt time.Time `json:"updated_at"`
	// Commands tells which command ids have a commit at or before Mark, in the engine's own coding.
	Commands []byte `json:"commands,omitempty"`
}

// Key names the aggregate that the snapshot is of.
func (s *Snapshot) Key() Key { return Key{s.TenantID, s.AggregateType, s.AggregateID} }

// Reply is the answer to an accepted command.
type Reply struct {
	TenantID      TenantID
	AggregateType Type
	AggregateID   ID
	CommandID     ID
	Version       Version // of the aggregate after the command
	Events        []Event // empty when the command was accepted and changed nothing
	Duplicate     bool    // the command id had a commit already; this is its first reply again
	Token         string  // opaque: a read that carries it sees this command
}

// State is one aggregate's state as a reader sees it.
type State struct {
	TenantID      TenantID
	AggregateType Type
	AggregateID   ID
	Version       Version
	State         json.RawMessage
	Derived       json.RawMessage
	UpdatedAt     time.Time
	Token         string
}
