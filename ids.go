package aggregate

import (
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"
)

// MaxTenantID is the greatest length of a tenant id in bytes.
const MaxTenantID = 63

// MaxType is the greatest length of an aggregate type's name in bytes.
const MaxType = 64

// TenantID names the owner of aggregates: empty, or `[A-Za-z0-9][A-Za-z0-9_-]{0,62}`.
// The empty tenant is the one of an installation without tenancy.
type TenantID string

// ParseTenantID checks the form of s. The empty string is the empty tenant.
// The error is a [ValidationError] at path "tenant_id".
func ParseTenantID(s string) (TenantID, error) {
	if s == "" {
		return "", nil
	}
	if len(s) > MaxTenantID {
		return "", &ValidationError{Path: "tenant_id", Message: fmt.Sprintf("a tenant id has at most %d characters, this one has %d", MaxTenantID, len(s))}
	}
	for i := range len(s) {
		c := s[i]
		if isAlnum(c) || i > 0 && (c == '_' || c == '-') {
			continue
		}
		return "", &ValidationError{Path: "tenant_id", Message: fmt.Sprintf("invalid tenant id %q: letters, digits, '_' and '-' only, the first a letter or digit", s)}
	}
	return TenantID(s), nil
}

// IsEmpty tells whether t is the empty tenant.
func (t TenantID) IsEmpty() bool { return t == "" }

// Token is t as one token of a NATS subject: the empty tenant is "_", which no tenant id can be.
func (t TenantID) Token() string {
	if t == "" {
		return "_"
	}
	return string(t)
}

// Type is the name of an aggregate type, such as Account.
type Type string

// ParseType checks the form of s: a capital letter, then letters, digits and '_', at most
// [MaxType] bytes. The error is a [ValidationError] at path "aggregate_type".
func ParseType(s string) (Type, error) {
	if s == "" || s[0] < 'A' || s[0] > 'Z' || len(s) > MaxType {
		return "", &ValidationError{Path: "aggregate_type", Message: fmt.Sprintf("invalid aggregate type %q: a capital, then letters, digits and '_', at most %d characters", s, MaxType)}
	}
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '_' {
			return "", &ValidationError{Path: "aggregate_type", Message: fmt.Sprintf("invalid aggregate type %q: letters, digits and '_' only", s)}
		}
	}
	return Type(s), nil
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// ID names an aggregate, a command or an event: a UUID of any version. Its text is lower case.
type ID [16]byte

// NewID makes a version 7 UUID, ordered by the time of its making (RFC 9562).
func NewID() ID { return ID(uuid.Must(uuid.NewV7())) }

// ParseID reads the 36 character form, upper case accepted; no braces, no urn:.
// The error is a [ValidationError] without a path.
func ParseID(s string) (ID, error) {
	if len(s) == 36 {
		if u, err := uuid.Parse(s); err == nil {
			return ID(u), nil
		}
	}
	return ID{}, &ValidationError{Message: fmt.Sprintf("invalid id %q: a UUID like 0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d is expected", s)}
}

// IsZero tells whether the id is absent.
func (id ID) IsZero() bool { return id == ID{} }

// String is the lower case 36 character form.
func (id ID) String() string { return uuid.UUID(id).String() }

// MarshalText gives the text of [ID.String].
func (id ID) MarshalText() ([]byte, error) { return uuid.UUID(id).MarshalText() }

// AppendText appends the text of [ID.String] to b; it never fails.
func (id ID) AppendText(b []byte) ([]byte, error) {
	var text [36]byte
	hex.Encode(text[:8], id[:4])
	text[8] = '-'
	hex.Encode(text[9:13], id[4:6])
	text[13] = '-'
	hex.Encode(text[14:18], id[6:8])
	text[18] = '-'
	hex.Encode(text[19:23], id[8:10])
	text[23] = '-'
	hex.Encode(text[24:], id[10:])
	return append(b, text[:]...), nil
}

// UnmarshalText is [ParseID].
func (id *ID) UnmarshalText(b []byte) error {
	p, err := ParseID(string(b))
	if err == nil {
		*id = p
	}
	return err
}

// Key names one aggregate.
type Key struct {
	Tenant TenantID
	Type   Type
	ID     ID
}

// String is tenant/type/id, the empty tenant as "_".
func (k Key) String() string { return k.Tenant.Token() + "/" + string(k.Type) + "/" + k.ID.String() }

// Version counts the events of one aggregate from 1, without gaps; 0 is an aggregate without events.
type Version uint64

// Next is the version after one more event.
func (v Version) Next() Version { return v + 1 }

// Sequence is the log's own counter of messages. Only package stream relates it to a [Version].
type Sequence uint64
