package envelope

import (
	"fmt"
	"strings"

	"github.com/cloudlysis/aggregate"
)

// Layout tells on which stream an aggregate lives and how its subject looks. Another layout
// is a migration of the log.
type Layout uint8

// Single keeps all aggregates on one stream, AGGREGATE_EVENTS. It is the default.
const Single Layout = 0

// ParseLayout reads the setting stream.layout. The empty string is [Single].
func ParseLayout(s string) (Layout, error) {
	if s == "" || s == "single" {
		return Single, nil
	}
	return Single, &aggregate.ValidationError{Path: "stream.layout",
		Message: fmt.Sprintf("layout %q is not available: this engine keeps all aggregates on one stream, layout \"single\"", s)}
}

// String is the name of the layout in the settings.
func (Layout) String() string { return "single" }

// StreamName is the stream of the layout [Single].
const StreamName = "AGGREGATE_EVENTS"

// Stream names the stream that holds key.
func (Layout) Stream(aggregate.Key) string { return StreamName }

// Filters lists the subjects that a stream of the layout must hold, and no others.
func (Layout) Filters(string) []string { return []string{"tenant.*.aggregate.>"} }

// Subject is the subject of key's messages. Its tokens are safe: a [aggregate.Key] made by
// the Parse functions holds no dot, blank or wildcard.
func (Layout) Subject(key aggregate.Key) string {
	b := make([]byte, 0, 16+len(key.Tenant)+1+len(key.Type)+1+36+2)
	b = append(append(b, "tenant."...), key.Tenant.Token()...)
	b = append(append(b, ".aggregate."...), key.Type...)
	b, _ = key.ID.AppendText(append(b, '.'))
	return string(b)
}

// Owners is the filter that matches the messages of one (type, id) whichever tenant has them.
func (Layout) Owners(t aggregate.Type, id aggregate.ID) string {
	return "tenant.*.aggregate." + string(t) + "." + id.String()
}

// Filter is what consumers subscribe to. AllTenants, an empty Type and a zero ID match all.
type Filter struct {
	Tenant     aggregate.TenantID
	AllTenants bool
	Type       aggregate.Type
	ID         aggregate.ID
}

// Subject is the filter as a subject with wildcards. It ends in ">" where an aggregate's
// subject may get a further token in another layout.
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
