package envelope

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate"
)

// Layout tells on which stream an aggregate lives and how its subject looks. Another layout
// is a migration of the log.
//
//	single      AGGREGATE_EVENTS, subjects tenant.<tenant>.aggregate.<type>.<id>
//	sharded(n)  AGGREGATE_EVENTS_S_0 to n-1, subjects with a sixth token: two hex digits of
//	            sha256(tenant/type/id); stream k holds the tokens whose number modulo n is k
//
// A layout by tenant or by type would have streams that are not known at the start; its place is
// here and in stream.Open, which opens all [Layout.Streams].
type Layout uint16

// Single keeps all aggregates on one stream, AGGREGATE_EVENTS. It is the default.
const Single Layout = 0

// tokens is how many sixth tokens there are, and so the greatest number of shards.
const tokens = 256

// Sharded spreads aggregates over n streams, 2 to 256. Several streams use several cores of the
// server: each takes its messages one after another.
func Sharded(n int) Layout { return Layout(min(max(n, 2), tokens)) }

// ParseLayout reads the setting stream.layout: single or sharded(n). The empty string is [Single].
func ParseLayout(s string) (Layout, error) {
	if s == "" || s == "single" {
		return Single, nil
	}
	if in, ok := strings.CutPrefix(s, "sharded("); ok && strings.HasSuffix(in, ")") {
		if n, err := strconv.Atoi(strings.TrimSuffix(in, ")")); err == nil && n >= 2 && n <= tokens {
			return Sharded(n), nil
		}
	}
	return Single, &aggregate.ValidationError{Path: "stream.layout",
		Message: fmt.Sprintf("layout %q is not available: \"single\", or \"sharded(n)\" with n from 2 to %d", s, tokens)}
}

// String is the name of the layout in the settings.
func (l Layout) String() string {
	if l == Single {
		return "single"
	}
	return "sharded(" + strconv.Itoa(int(l)) + ")"
}

// StreamName is the stream of the layout [Single], and the beginning of all others' names.
const StreamName = "AGGREGATE_EVENTS"

// Streams names all streams of the layout, in the order of [Layout.Index].
func (l Layout) Streams() []string {
	if l == Single {
		return []string{StreamName}
	}
	out := make([]string, l)
	for i := range out {
		out[i] = StreamName + "_S_" + strconv.Itoa(i)
	}
	return out
}

// Index tells which of [Layout.Streams] holds key.
func (l Layout) Index(key aggregate.Key) int {
	if l == Single {
		return 0
	}
	return int(tokenOf(key)) % int(l)
}

// Stream names the stream that holds key.
func (l Layout) Stream(key aggregate.Key) string {
	if l == Single {
		return StreamName
	}
	return StreamName + "_S_" + strconv.Itoa(l.Index(key))
}

// Filters lists the subjects that the stream of that index must hold, and no others: two streams
// cannot share a subject.
func (l Layout) Filters(index int) []string {
	if l == Single {
		return []string{"tenant.*.aggregate.>"}
	}
	var out []string
	for t := index; t < tokens; t += int(l) {
		out = append(out, "tenant.*.aggregate.*.*."+string(appendToken(nil, byte(t))))
	}
	return out
}

// tokenOf is the number of key's sixth token.
func tokenOf(key aggregate.Key) byte {
	var buf [192]byte
	b := append(append(buf[:0], key.Tenant.Token()...), '/')
	b = append(append(b, key.Type...), '/')
	b, _ = key.ID.AppendText(b)
	return sha256.Sum256(b)[0]
}

func appendToken(b []byte, t byte) []byte {
	const digits = "0123456789abcdef"
	return append(b, digits[t>>4], digits[t&15])
}

// Subject is the subject of key's messages. Its tokens are safe: a [aggregate.Key] made by
// the Parse functions holds no dot, blank or wildcard.
func (l Layout) Subject(key aggregate.Key) string {
	return string(l.AppendSubject(make([]byte, 0, 16+len(key.Tenant)+1+len(key.Type)+1+36+5), key))
}

// AppendSubject appends [Layout.Subject] to b.
func (l Layout) AppendSubject(b []byte, key aggregate.Key) []byte {
	b = append(append(b, "tenant."...), key.Tenant.Token()...)
	b = append(append(b, ".aggregate."...), key.Type...)
	b, _ = key.ID.AppendText(append(b, '.'))
	if l == Single {
		return b
	}
	return appendToken(append(b, '.'), tokenOf(key))
}

// Owners is the filter that matches the messages of one (type, id) whichever tenant has them. In
// a sharded layout they may lie on several streams, so no guard can rest on it.
func (l Layout) Owners(t aggregate.Type, id aggregate.ID) string {
	s := "tenant.*.aggregate." + string(t) + "." + id.String()
	if l == Single {
		return s
	}
	return s + ".*"
}

// Match is the filter as a subject for consumers of the layout's streams.
func (l Layout) Match(f Filter) string {
	if l == Single || f.ID.IsZero() {
		return f.Subject()
	}
	return f.Subject() + ".*"
}

// Filter is what consumers subscribe to. AllTenants, an empty Type and a zero ID match all.
type Filter struct {
	Tenant     aggregate.TenantID
	AllTenants bool
	Type       aggregate.Type
	ID         aggregate.ID
}

// Key is the one aggregate that the filter matches; false when it matches more.
func (f Filter) Key() (aggregate.Key, bool) {
	return aggregate.Key{Tenant: f.Tenant, Type: f.Type, ID: f.ID}, !f.AllTenants && f.Type != "" && !f.ID.IsZero()
}

// Subject is the filter as a subject with wildcards, for the layout [Single]. It ends in ">"
// where an aggregate's subject gets a further token in another layout; see [Layout.Match].
func (f Filter) Subject() string {
	tenant, typ, id := "*", "*", ">"
	if !f.AllTenants {
		tenant = f.Tenant.Token()
	}
	if f.Type != "" {
		typ = string(f.Type)
	}
	if !f.ID.IsZero() {
		id = f.ID.String()
	}
	return "tenant." + tenant + ".aggregate." + typ + "." + id
}

// ParseSubject gives the aggregate whose messages a subject holds. It accepts the sixth token
// of a sharded layout: two lower case hex digits.
func ParseSubject(s string) (aggregate.Key, error) {
	t := strings.Split(s, ".")
	if len(t) == 6 && !isShard(t[5]) || len(t) != 5 && len(t) != 6 || t[0] != "tenant" || t[2] != "aggregate" {
		return aggregate.Key{}, fmt.Errorf("subject %q is not tenant.<tenant>.aggregate.<type>.<id>", s)
	}
	var key aggregate.Key
	var err error
	if t[1] == "" {
		return key, fmt.Errorf("subject %q: the token of the tenant is empty; the empty tenant is \"_\"", s)
	}
	if t[1] != "_" {
		if key.Tenant, err = aggregate.ParseTenantID(t[1]); err != nil {
			return aggregate.Key{}, fmt.Errorf("subject %q: %w", s, err)
		}
	}
	if key.Type, err = aggregate.ParseType(t[3]); err != nil {
		return aggregate.Key{}, fmt.Errorf("subject %q: %w", s, err)
	}
	if key.ID, err = aggregate.ParseID(t[4]); err != nil {
		return aggregate.Key{}, fmt.Errorf("subject %q: %w", s, err)
	}
	if key.ID.String() != t[4] {
		return aggregate.Key{}, fmt.Errorf("subject %q: ids are lower case", s)
	}
	return key, nil
}

func isShard(s string) bool {
	return len(s) == 2 && isHex(s[0]) && isHex(s[1])
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }
