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
//	per_tenant  AGGREGATE_EVENTS_T_<tenant>, that of the empty tenant is AGGREGATE_EVENTS_T__
//	per_type    AGGREGATE_EVENTS_Y_<type>
//
// The streams of the last two are made when they are first needed; their subjects are those of
// single.
type Layout uint16

// Single keeps all aggregates on one stream, AGGREGATE_EVENTS. It is the default.
const Single Layout = 0

// tokens is how many sixth tokens there are, and so the greatest number of shards.
const tokens = 256

// Sharded spreads aggregates over n streams, 2 to 256. Several streams use several cores of the
// server: each takes its messages one after another.
func Sharded(n int) Layout { return Layout(min(max(n, 2), tokens)) }

// ParseLayout reads the setting stream.layout, as [Layout.String] writes it. The empty string is [Single].
func ParseLayout(s string) (Layout, error) {
	for _, l := range []Layout{Single, PerTenant, PerType} {
		if s == l.String() || s == "" {
			return l, nil
		}
	}
	if in, ok := strings.CutPrefix(s, "sharded("); ok && strings.HasSuffix(in, ")") {
		if n, err := strconv.Atoi(strings.TrimSuffix(in, ")")); err == nil && n >= 2 && n <= tokens {
			return Sharded(n), nil
		}
	}
	return Single, &aggregate.ValidationError{Path: "stream.layout",
		Message: fmt.Sprintf("layout %q is not available: \"single\", \"sharded(n)\" with n from 2 to %d, \"per_tenant\" or \"per_type\"", s, tokens)}
}

// String is the name of the layout in the settings.
func (l Layout) String() string {
	switch l {
	case Single:
		return "single"
	case PerTenant:
		return "per_tenant"
	case PerType:
		return "per_type"
	}
	return "sharded(" + strconv.Itoa(int(l)) + ")"
}

// StreamName is the stream of the layout [Single], and the beginning of all others' names.
const StreamName = "AGGREGATE_EVENTS"

// Streams names the streams of the layout, in the order of [Layout.Index]; none if they are made
// on demand.
func (l Layout) Streams() []string {
	switch {
	case l == Single:
		return []string{StreamName}
	case l.OnDemand():
		return nil
	}
	out := make([]string, l)
	for i := range out {
		out[i] = string(appendNumber([]byte(StreamName+l.infix()), i))
	}
	return out
}

// Index tells which of [Layout.Streams] holds key. Streams that are made on demand have no order: it
// is 0.
func (l Layout) Index(key aggregate.Key) int {
	if !l.sharded() {
		return 0
	}
	return int(tokenOf(key)) % int(l)
}

// sharded tells whether subjects have a sixth token.
func (l Layout) sharded() bool { return l > Single && l <= tokens }

// Stream names the stream that holds key.
func (l Layout) Stream(key aggregate.Key) string { return string(l.AppendStream(nil, key)) }

// Subjects lists the subjects that the stream of that name must hold, and no others: two streams
// cannot share a subject. nil: the layout has no such stream.
func (l Layout) Subjects(stream string) []string {
	part, ok := l.cutStream(stream)
	switch {
	case !ok:
		return nil
	case l == Single && part == "":
		return []string{AllSubjects}
	case l.OnDemand():
		return l.onDemandSubjects(part)
	}
	k, err := strconv.Atoi(part)
	if err != nil || k < 0 || k >= int(l) || strconv.Itoa(k) != part {
		return nil
	}
	var out []string
	for t := k; t < tokens; t += int(l) {
		out = append(out, "tenant.*.aggregate.*.*."+string(appendToken(nil, byte(t))))
	}
	return out
}

func appendNumber(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

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
	if !l.sharded() {
		return b
	}
	return appendToken(append(b, '.'), tokenOf(key))
}

// Owners is the filter that matches the messages of one (type, id) whichever tenant has them. In
// a sharded layout they may lie on several streams, so no guard can rest on it.
func (l Layout) Owners(t aggregate.Type, id aggregate.ID) string {
	s := "tenant.*.aggregate." + string(t) + "." + id.String()
	if !l.sharded() {
		return s
	}
	return s + ".*"
}

// Match is the filter as a subject for consumers of the layout's streams.
func (l Layout) Match(f Filter) string {
	if !l.sharded() || f.ID.IsZero() {
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

// Subject is the filter as a subject with wildcards, for layouts that are not sharded. It ends in ">"
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
