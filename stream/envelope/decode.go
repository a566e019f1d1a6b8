package envelope

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cloudlysis/aggregate"
)

// known lists the members that this package understands, so that `must` may name them.
var known = []string{"v", "kind", "must", "tenant_id", "aggregate_type", "aggregate_id", "manifest", "engine", "prev", "commits"}

// required has a bit for each of those that every body has: all of known but must.
const required = (1<<10 - 1) &^ (1 << 2)

// Decode reads a stored body and checks all that can be seen from it alone. Payloads, commands
// and nothing else of the result share body's memory, which must not be changed afterwards.
//
// The error matches aggregate.ErrManifestBehind if a newer engine wrote the body, else
// aggregate.ErrRehydration; it names the place as a JSON pointer.
func Decode(body []byte) (*Message, error) {
	t := tokenizers.Get().(*tokenizer)
	t.buf = *bytes.NewBuffer(body)
	t.dec.Reset(&t.buf)
	d := decoder{d: t.dec, body: body, m: &Message{}}
	err := d.message()
	t.release()
	if err == nil {
		return d.m, nil
	}
	if errors.Is(err, aggregate.ErrManifestBehind) {
		return nil, err
	}
	// A body of a newer form may look damaged to us; what it says of itself goes first.
	if behind := probe(body); behind != nil {
		return nil, behind
	}
	return nil, err
}

// tokenizers are kept, as each has tables of the names it met: without them a body costs three
// times the allocations.
var tokenizers = sync.Pool{New: func() any { return &tokenizer{dec: jsontext.NewDecoder(&bytes.Buffer{})} }}

type tokenizer struct {
	buf bytes.Buffer
	dec *jsontext.Decoder
}

// release gives the tokenizer back without the body.
func (t *tokenizer) release() {
	t.buf = bytes.Buffer{}
	t.dec.Reset(&t.buf)
	tokenizers.Put(t)
}

type decoder struct {
	d    *jsontext.Decoder
	body []byte
	m    *Message
	man  string // manifest and engine, given to every commit at the end
	eng  string
	next aggregate.Version
}

func (d *decoder) damage(format string, args ...any) error {
	return fmt.Errorf("%w: stored message at %q: "+format,
		append([]any{aggregate.ErrRehydration, string(d.d.StackPointer())}, args...)...)
}

func behind(format string, args ...any) error {
	return fmt.Errorf("%w: stored message: "+format+"; a newer engine wrote it", append([]any{aggregate.ErrManifestBehind}, args...)...)
}

func (d *decoder) message() error {
	seen := 0
	err := d.object(func(name string) error {
		i := slices.Index(known, name)
		if i < 0 {
			return d.skip()
		}
		seen |= 1 << i
		return d.member(name)
	})
	if err != nil {
		return err
	}
	if missing := required &^ seen; missing != 0 {
		for i, name := range known {
			if missing&(1<<i) != 0 {
				return d.damage("the member %q is missing", name)
			}
		}
	}
	if _, err := d.d.ReadToken(); err != io.EOF {
		return d.damage("something follows the message")
	}
	if len(d.m.Commits) == 0 {
		return d.damage("it holds no commit")
	}
	for i := range d.m.Commits {
		d.m.Commits[i].Manifest, d.m.Commits[i].Engine = d.man, d.eng
	}
	return nil
}

func (d *decoder) member(name string) (err error) {
	switch name {
	case "v", "kind", "must":
		raw, err := d.value()
		if err != nil {
			return err
		}
		return d.gate(name, raw)
	case "tenant_id":
		return parse(d, aggregate.ParseTenantID, &d.m.Key.Tenant)
	case "aggregate_type":
		return parse(d, aggregate.ParseType, &d.m.Key.Type)
	case "aggregate_id":
		return d.id(&d.m.Key.ID)
	case "manifest":
		if d.man, err = d.str(); err == nil && !isManifest(d.man) {
			return d.damage("%q is not sha256:<64 hex digits>", d.man)
		}
		return err
	case "engine":
		d.eng, err = d.text()
		return err
	case "prev":
		return d.hash(&d.m.Prev)
	}
	return d.array(d.commit) // commits
}

// gate checks the members that say whether this package may read the rest.
func (d *decoder) gate(name string, raw []byte) error {
	switch name {
	case "v":
		if string(raw) != "1" {
			return behind("its form is v %s, this engine reads v 1", raw)
		}
	case "kind":
		if string(raw) != `"commits"` {
			return behind("its kind is %s, this engine reads \"commits\"", raw)
		}
	case "must":
		names, err := mustNames(raw)
		if err != nil {
			return d.damage("must is not a list of names")
		}
		for _, n := range names {
			if !slices.Contains(known, n) {
				return behind("it must not be read without knowing %q", n)
			}
		}
	}
	return nil
}

func mustNames(raw []byte) ([]string, error) {
	d := decoder{d: jsontext.NewDecoder(bytes.NewBuffer(raw)), body: raw}
	var names []string
	err := d.array(func() error {
		s, err := d.str()
		names = append(names, s)
		return err
	})
	return names, err
}

// probe finds out whether a body that failed to decode says of itself that it is of a newer form.
func probe(body []byte) error {
	d := decoder{d: jsontext.NewDecoder(bytes.NewBuffer(body)), body: body, m: &Message{}}
	var found error
	err := d.object(func(name string) error {
		raw, err := d.value()
		if err == nil && found == nil {
			if g := d.gate(name, raw); errors.Is(g, aggregate.ErrManifestBehind) {
				found = g
			}
		}
		return err
	})
	if err != nil {
		return nil // not even JSON: damage
	}
	return found
}

// seenIn marks the members of a commit or an event that have been met.
type seenIn uint16

const (
	seenID seenIn = 1 << iota
	seenHash
	seenTime
	seenEvents
	seenVersion
	seenType
	seenSchema
	seenPayload
	seenSealed
)

func (d *decoder) commit() error {
	var c aggregate.Commit
	var seen seenIn
	err := d.object(func(name string) (err error) {
		switch name {
		case "command_id":
			seen |= seenID
			return d.id(&c.CommandID)
		case "command_hash":
			seen |= seenHash
			if c.CommandHash, err = d.str(); err == nil && !isHash(c.CommandHash) {
				return d.damage("it is not 64 lower case hex digits")
			}
			return err
		case "command":
			c.Command, err = d.rawObject()
			return err
		case "timestamp":
			seen |= seenTime
			return d.time(&c.Timestamp)
		case "actor":
			c.Actor, err = d.str()
			return err
		case "roles":
			return d.array(func() error {
				s, err := d.str()
				c.Roles = append(c.Roles, s)
				return err
			})
		case "metadata":
			return d.metadata(&c.Metadata)
		case "events":
			seen |= seenEvents
			return d.array(func() error { return d.event(&c) })
		case "sealed":
			seen |= seenSealed
		}
		return d.skip()
	})
	if err != nil {
		return err
	}
	if seen&seenSealed != 0 {
		return behind("a commit holds sealed data")
	}
	if want := seenID | seenHash | seenTime | seenEvents; seen&want != want {
		return d.damage("a commit has command_id, command_hash, timestamp and events; one of them is missing")
	}
	d.m.Commits = append(d.m.Commits, c)
	return nil
}

func (d *decoder) event(c *aggregate.Commit) error {
	var e aggregate.CommitEvent
	var seen seenIn
	err := d.object(func(name string) (err error) {
		switch name {
		case "event_id":
			seen |= seenID
			return d.id(&e.EventID)
		case "version":
			seen |= seenVersion
			n, err := d.uint()
			e.Version = aggregate.Version(n)
			return err
		case "event_type":
			seen |= seenType
			e.Type, err = d.text()
			return err
		case "schema":
			seen |= seenSchema
			n, err := d.uint()
			e.Schema = int(n)
			return err
		case "payload":
			seen |= seenPayload
			e.Payload, err = d.rawObject()
			return err
		case "sealed":
			seen |= seenSealed
		}
		return d.skip()
	})
	if err != nil {
		return err
	}
	if seen&seenSealed != 0 {
		return behind("an event holds sealed data")
	}
	if want := seenID | seenVersion | seenType | seenSchema | seenPayload; seen&want != want {
		return d.damage("an event has event_id, version, event_type, schema and payload; one of them is missing")
	}
	if d.next > 0 && e.Version != d.next {
		return d.damage("version %d follows %d: there is a gap", e.Version, d.next-1)
	}
	d.next = e.Version.Next()
	c.Events = append(c.Events, e)
	return nil
}

// object reads one object; member must read exactly the value of each name.
func (d *decoder) object(member func(name string) error) error {
	return d.composite('{', func() error {
		raw, err := d.value()
		if err != nil {
			return err
		}
		return member(nameOf(raw))
	})
}

func (d *decoder) array(element func() error) error { return d.composite('[', element) }

// composite reads an object or array: begin, then each until its end.
func (d *decoder) composite(begin jsontext.Kind, each func() error) error {
	if k := d.d.PeekKind(); k != begin && k > 0 {
		return d.damage("%v found, %v expected", k, begin)
	}
	if _, err := d.d.ReadToken(); err != nil {
		return d.syntax(err)
	}
	for d.d.PeekKind() != begin+2 { // the closing bracket: '}' is '{'+2, ']' is '['+2
		if d.d.PeekKind() == 0 {
			break // the next read tells what is wrong
		}
		if err := each(); err != nil {
			return err
		}
	}
	if _, err := d.d.ReadToken(); err != nil {
		return d.syntax(err)
	}
	return nil
}

func (d *decoder) syntax(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return d.damage("it ends too early")
	}
	return d.damage("%v", err)
}

// nameOf gives the text of a member's name. The names we know cost nothing.
func nameOf(raw []byte) string {
	if i := slices.IndexFunc(names, func(n string) bool { return string(raw[1:len(raw)-1]) == n }); i >= 0 {
		return names[i]
	}
	b, _ := jsontext.AppendUnquote(nil, raw) // raw was read as a JSON string
	return string(b)
}

// names lists all names of the stored form, the frequent ones first.
var names = append([]string{"event_id", "version", "event_type", "schema", "payload", "command_id", "command_hash", "command",
	"timestamp", "actor", "roles", "metadata", "events", "correlation_id", "traceparent"}, known...)

// value reads the next value as it stands in the body.
func (d *decoder) value() ([]byte, error) {
	v, err := d.d.ReadValue()
	if err != nil {
		return nil, d.syntax(err)
	}
	end := int(d.d.InputOffset())
	return d.body[end-len(v) : end : end], nil
}

func (d *decoder) skip() error {
	if err := d.d.SkipValue(); err != nil {
		return d.syntax(err)
	}
	return nil
}

func (d *decoder) str() (string, error) {
	raw, err := d.value()
	if err != nil {
		return "", err
	}
	if raw[0] != '"' {
		return "", d.damage("%s found, a string expected", jsontext.Value(raw).Kind())
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "", d.damage("%v", err)
	}
	return string(b), nil
}

// text is a string that must not be empty.
func (d *decoder) text() (string, error) {
	s, err := d.str()
	if err == nil && s == "" {
		return "", d.damage("it is empty")
	}
	return s, err
}

func parse[T any](d *decoder, f func(string) (T, error), to *T) error {
	s, err := d.str()
	if err != nil {
		return err
	}
	if *to, err = f(s); err != nil {
		return d.damage("%v", err)
	}
	return nil
}

func (d *decoder) id(to *aggregate.ID) error {
	if err := parse(d, aggregate.ParseID, to); err != nil {
		return err
	}
	if to.IsZero() {
		return d.damage("the id is zero")
	}
	return nil
}

func (d *decoder) time(to *time.Time) error {
	return parse(d, func(s string) (time.Time, error) {
		t, err := time.Parse(time.RFC3339Nano, s)
		if t = t.UTC(); err == nil && (t.IsZero() || t.Year() < 1 || t.Year() > 9999) {
			err = fmt.Errorf("%s is not within the years 1 to 9999", s)
		}
		return t, err
	}, to)
}

// uint reads a whole number from 1 to 2^53, written without sign, fraction or exponent.
func (d *decoder) uint() (uint64, error) {
	raw, err := d.value()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(raw), 10, 53)
	if err != nil || n == 0 {
		return 0, d.damage("%.40s found, a whole number from 1 expected", raw)
	}
	return n, nil
}

func (d *decoder) hash(to *Hash) error {
	s, err := d.str()
	if err != nil || s == "" {
		return err
	}
	if !isHash(s) {
		return d.damage("it is neither empty nor 64 lower case hex digits")
	}
	_, err = hex.Decode(to[:], []byte(s))
	return err
}

func (d *decoder) rawObject() (json.RawMessage, error) {
	raw, err := d.value()
	if err == nil && raw[0] != '{' {
		return nil, d.damage("%s found, an object expected", jsontext.Value(raw).Kind())
	}
	return raw, err
}

func (d *decoder) metadata(to *map[string]string) error {
	m := map[string]string{}
	err := d.object(func(name string) error {
		s, err := d.str()
		m[name] = s
		return err
	})
	if len(m) > 0 {
		*to = m
	}
	return err
}
