package envelope

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudlysis/aggregate"
)

// ErrInvalid: a message must not be stored, as it could not be read again. It is a defect of
// the caller; nothing was written.
var ErrInvalid = errors.New("invalid message")

// Encode appends the body of m to dst. The same m makes the same bytes. The error matches
// [ErrInvalid]; then dst is returned as it was.
//
// Payloads are checked for being one JSON object each, as [Decode] does, and copied as they
// are: a body that cannot be read would cost the aggregate.
func Encode(dst []byte, m *Message) ([]byte, error) {
	e := encoder{b: dst}
	e.message(m)
	if e.err != nil {
		return dst, e.err
	}
	return e.b, nil
}

// The years 1 to 9999 in Unix seconds, which cost less to ask for than the year.
const (
	firstSecond = -62135596800
	lastSecond  = 253402300799
)

// maxVersion is the greatest version: every reader of JSON keeps it exact.
const maxVersion = 1<<53 - 1

// encoder keeps the first error; what it writes after one is thrown away.
type encoder struct {
	b    []byte
	next aggregate.Version // expected of the next event, 0 before the first
	err  error
}

func (e *encoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
	}
}

func (e *encoder) raw(s string) { e.b = append(e.b, s...) }

func (e *encoder) message(m *Message) {
	if len(m.Commits) == 0 {
		e.fail("a message holds at least one commit")
		return
	}
	e.key(m.Key)
	first := &m.Commits[0]
	if !isManifest(first.Manifest) {
		e.fail("manifest %q is not sha256:<64 hex digits>", first.Manifest)
	}
	if first.Engine == "" {
		e.fail("the engine's version is empty")
	}
	e.raw(`","manifest":"`)
	e.raw(first.Manifest)
	e.raw(`","engine":`)
	e.str(first.Engine)
	e.raw(`,"prev":"`)
	if m.Prev != (Hash{}) {
		e.b = hex.AppendEncode(e.b, m.Prev[:])
	}
	e.raw(`","commits":[`)
	for i := range m.Commits {
		c := &m.Commits[i]
		if c.Manifest != first.Manifest || c.Engine != first.Engine {
			e.fail("commit %d was decided by %s %s, the first by %s %s: a message holds commits of one manifest", i, c.Manifest, c.Engine, first.Manifest, first.Engine)
		}
		if i > 0 {
			e.raw(",")
		}
		e.commit(i, c)
	}
	e.raw(`]}`)
}

func (e *encoder) key(k aggregate.Key) {
	if _, err := aggregate.ParseTenantID(string(k.Tenant)); err != nil {
		e.fail("%v", err)
	}
	if _, err := aggregate.ParseType(string(k.Type)); err != nil {
		e.fail("%v", err)
	}
	if k.ID.IsZero() {
		e.fail("the aggregate id is empty")
	}
	e.raw(`{"v":1,"kind":"commits","tenant_id":"`)
	e.raw(string(k.Tenant))
	e.raw(`","aggregate_type":"`)
	e.raw(string(k.Type))
	e.raw(`","aggregate_id":"`)
	e.b, _ = k.ID.AppendText(e.b)
}

func (e *encoder) commit(i int, c *aggregate.Commit) {
	if c.CommandID.IsZero() {
		e.fail("commit %d has no command id", i)
	}
	if !isHash(c.CommandHash) {
		e.fail("commit %d: command hash %q is not 64 lower case hex digits", i, c.CommandHash)
	}
	e.raw(`{"command_id":"`)
	e.b, _ = c.CommandID.AppendText(e.b)
	e.raw(`","command_hash":"`)
	e.raw(c.CommandHash)
	e.raw(`"`)
	if len(c.Command) > 0 {
		e.raw(`,"command":`)
		e.object(c.Command, "command", i, -1)
	}
	e.raw(`,"timestamp":"`)
	if s := c.Timestamp.Unix(); s < firstSecond || s > lastSecond || c.Timestamp.IsZero() {
		e.fail("commit %d: timestamp %v is not within the years 1 to 9999", i, c.Timestamp)
	}
	e.b = c.Timestamp.UTC().AppendFormat(e.b, time.RFC3339Nano)
	e.raw(`"`)
	e.who(c)
	e.raw(`,"events":[`)
	for j := range c.Events {
		if j > 0 {
			e.raw(",")
		}
		e.event(i, j, &c.Events[j])
	}
	e.raw(`]}`)
}

// who writes the members about who asked; each is left out when empty.
func (e *encoder) who(c *aggregate.Commit) {
	if c.Actor != "" {
		e.raw(`,"actor":`)
		e.str(c.Actor)
	}
	for i, r := range c.Roles {
		e.raw(pick(i == 0, `,"roles":[`, `,`))
		e.str(r)
	}
	if len(c.Roles) > 0 {
		e.raw(`]`)
	}
	if len(c.Metadata) == 0 {
		return
	}
	var room [16]string
	keys := room[:0]
	for k := range c.Metadata {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		e.raw(pick(i == 0, `,"metadata":{`, `,`))
		e.str(k)
		e.raw(`:`)
		e.str(c.Metadata[k])
	}
	e.raw(`}`)
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func (e *encoder) event(i, j int, ev *aggregate.CommitEvent) {
	if ev.EventID.IsZero() || ev.Type == "" || ev.Schema < 1 {
		e.fail("commit %d, event %d: id %s, type %q, schema %d: all three are needed", i, j, ev.EventID, ev.Type, ev.Schema)
	}
	if ev.Version < 1 || e.next > 0 && ev.Version != e.next {
		e.fail("commit %d, event %d has version %d, expected %d: versions count from 1 without gaps", i, j, ev.Version, max(e.next, 1))
	}
	if ev.Version > maxVersion || int64(ev.Schema) > maxVersion {
		e.fail("commit %d, event %d: version %d or schema %d is over 2^53-1", i, j, ev.Version, ev.Schema)
	}
	e.next = ev.Version.Next()
	e.raw(`{"event_id":"`)
	e.b, _ = ev.EventID.AppendText(e.b)
	e.raw(`","version":`)
	e.b = strconv.AppendUint(e.b, uint64(ev.Version), 10)
	e.raw(`,"event_type":`)
	e.str(ev.Type)
	e.raw(`,"schema":`)
	e.b = strconv.AppendInt(e.b, int64(ev.Schema), 10)
	e.raw(`,"payload":`)
	e.object(ev.Payload, "payload", i, j)
	e.raw(`}`)
}

func (e *encoder) str(s string) {
	b, err := appendQuote(e.b, s)
	if err != nil {
		e.fail("%q is not UTF-8", s)
	}
	e.b = b
}

func (e *encoder) object(raw []byte, what string, commit, event int) {
	if !isObject(raw) {
		e.fail("commit %d, event %d: the %s is not one JSON object", commit, event, what)
	}
	e.b = append(e.b, raw...)
}

func isHash(s string) bool {
	if len(s) != 64 {
		return false
	}
	for ; s != ""; s = s[8:] {
		if !hexDigits(binary.LittleEndian.Uint64([]byte(s[:8]))) {
			return false
		}
	}
	return true
}

// hexDigits tells whether each byte of w is a digit or a to f. Where w has no high bit, a sum below
// has it in each byte that is at least the one subtracted.
func hexDigits(w uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	digit := (w + (0x80-'0')*ones) &^ (w + (0x80-'9'-1)*ones)
	letter := (w + (0x80-'a')*ones) &^ (w + (0x80-'f'-1)*ones)
	return (digit|letter)&^w&highs == highs && w&highs == 0
}

func isManifest(s string) bool {
	h, ok := strings.CutPrefix(s, "sha256:")
	return ok && isHash(h)
}
