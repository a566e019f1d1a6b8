package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/server/auth"
)

// Policy is how the doors read a caller's headers.
type Policy struct {
	TenantDefault  aggregate.TenantID // used when x-tenant-id is absent
	TenantRequired bool               // its absence is a ValidationError
	// Auth, when set, refuses callers without a credential that it knows. Roles, actor and the
	// tenant that a caller is bound to come from the credential then.
	Auth auth.Authenticator
	// TrustRoles takes ctx.roles and the actor from the headers x-roles and x-actor: only for
	// a loopback door without authentication.
	TrustRoles bool
	MaxBody    int64 // bytes of one command's payload
	// Denied, when set, hears of callers that were not let in: without a credential that counts, or
	// for a tenant that is not theirs. tenant is the one that the caller is bound to, never one that
	// was only claimed. It must not block.
	Denied func(tenant aggregate.TenantID, err error)
}

// Limits of metadata (system: x-meta headers).
const (
	maxMetaKeys  = 64
	maxMetaBytes = 8 << 10
	// maxCorrelation is the greatest length of x-correlation-id.
	maxCorrelation = 128
	metaPrefix     = "x-meta-"
)

// ownMeta are the keys of ctx.meta that are ours and not a caller's.
var ownMeta = map[string]bool{"actor": true, "correlation_id": true, "causation_id": true, "traceparent": true}

// headers gives the values of a lower case header name, in HTTP and in gRPC metadata alike.
type headers interface {
	get(name string) string
	// several tells whether a header that says who asks came more than once, with other values: a
	// proxy that adds its own behind a client's must not have the client's believed.
	several(name string) bool
	// meta takes every header x-meta-<key> into cmd's metadata, the key in lower case, with its first value.
	meta(cmd *aggregate.Command)
}

// caller is who asks, and for which tenant.
type caller struct {
	auth.Identity
	tenant aggregate.TenantID
}

// caller authenticates and reads x-tenant-id.
func (p *Policy) caller(ctx context.Context, h headers) (caller, error) {
	c, err := p.identify(ctx, h)
	if err != nil && p.Denied != nil && (errors.Is(err, auth.ErrUnauthenticated) || errors.Is(err, aggregate.ErrTenantAccessDenied)) {
		p.Denied(c.Identity.Tenant, err)
	}
	return c, err
}

func (p *Policy) identify(ctx context.Context, h headers) (caller, error) {
	c := caller{Identity: auth.Identity{AnyTenant: true}}
	for _, name := range []string{"x-tenant-id", "authorization"} {
		if h.several(name) {
			return c, &aggregate.ValidationError{Path: name, Message: "the header came more than once, with different values"}
		}
	}
	if p.Auth != nil {
		token, ok := bearer(h.get("authorization"))
		if !ok {
			return c, fmt.Errorf("%w: a bearer token is required", auth.ErrUnauthenticated)
		}
		var err error
		if c.Identity, err = p.Auth.Authenticate(ctx, token); err != nil {
			return c, err
		}
	} else if p.TrustRoles {
		c.Roles, c.Actor = splitList(h.get("x-roles")), h.get("x-actor")
	}
	return c, p.tenant(&c, h)
}

// differ tells whether values hold more than one.
func differ(values []string) bool {
	for _, v := range values[min(1, len(values)):] {
		if v != values[0] {
			return true
		}
	}
	return false
}

// bearer gives the token of an Authorization header (RFC 6750).
func bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "bearer")
}

// tenant reads x-tenant-id; a caller that is bound to a tenant may name only that one.
func (p *Policy) tenant(c *caller, h headers) (err error) {
	s := h.get("x-tenant-id")
	switch {
	case s == "" && !c.AnyTenant:
		c.tenant = c.Tenant
	case s == "":
		c.tenant = p.TenantDefault
	default:
		if c.tenant, err = aggregate.ParseTenantID(s); err != nil {
			return err
		}
	}
	if !c.AnyTenant && c.tenant != c.Tenant {
		return &aggregate.TenantAccessDeniedError{TenantID: c.tenant}
	}
	if s == "" && c.tenant == p.TenantDefault && p.TenantRequired {
		return &aggregate.ValidationError{Path: "tenant_id", Message: "the header x-tenant-id is required"}
	}
	return nil
}

// fill takes who asks and the metadata into cmd, on top of the metadata it has.
func (p *Policy) fill(cmd *aggregate.Command, c *caller, h headers) error {
	cmd.TenantID, cmd.Roles, cmd.Actor = c.tenant, c.Roles, c.Actor
	h.meta(cmd)
	if err := checkMeta(cmd.Metadata); err != nil {
		return err
	}
	return ownContext(cmd, h)
}

// ownContext takes the correlation and trace of the caller.
func ownContext(cmd *aggregate.Command, h headers) error {
	if c := h.get("x-correlation-id"); c != "" {
		if len(c) > maxCorrelation || !visibleASCII(c) {
			return &aggregate.ValidationError{Path: "x-correlation-id", Message: fmt.Sprintf("at most %d visible ASCII characters", maxCorrelation)}
		}
		setMeta(cmd, "correlation_id", c)
	}
	// A malformed traceparent is dropped, as W3C Trace Context asks, never refused.
	if t := h.get("traceparent"); validTraceparent(t) {
		setMeta(cmd, "traceparent", t)
	}
	return nil
}

func setMeta(cmd *aggregate.Command, key, value string) {
	if cmd.Metadata == nil {
		cmd.Metadata = map[string]string{}
	}
	cmd.Metadata[key] = value
}

// checkMeta refuses too much metadata and keys that are ours.
func checkMeta(m map[string]string) error {
	if len(m) > maxMetaKeys {
		return &aggregate.ValidationError{Path: "metadata", Message: fmt.Sprintf("at most %d keys", maxMetaKeys)}
	}
	size := 0
	for k, v := range m {
		if ownMeta[k] {
			return &aggregate.ValidationError{Path: "metadata." + k, Message: "this key is the engine's own"}
		}
		size += len(k) + len(v)
	}
	if size > maxMetaBytes {
		return &aggregate.ValidationError{Path: "metadata", Message: fmt.Sprintf("at most %d bytes", maxMetaBytes)}
	}
	return nil
}

func splitList(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func visibleASCII(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// validTraceparent checks the form of W3C Trace Context version 00.
func validTraceparent(s string) bool {
	if len(s) != 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 2 || i == 35 || i == 52 {
			continue
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s[:2] != "ff"
}

// address reads type and id; an empty command id is made.
func address(typ, id string) (aggregate.Type, aggregate.ID, error) {
	t, err := aggregate.ParseType(typ)
	if err != nil {
		return "", aggregate.ID{}, err
	}
	a, err := parseID("aggregate_id", id)
	return t, a, err
}

// commandID reads a command id, or makes one when s is empty.
func commandID(s string) (aggregate.ID, error) {
	if s == "" {
		return aggregate.NewID(), nil
	}
	return parseID("command_id", s)
}

func parseID(path, s string) (aggregate.ID, error) {
	id, err := aggregate.ParseID(s)
	if err != nil {
		return id, &aggregate.ValidationError{Path: path, Message: err.Error()}
	}
	return id, nil
}

// expected reads an expected version, as a number or as an entity tag; nil when s is empty.
func expected(s string) (*aggregate.Version, error) {
	if s == "" {
		return nil, nil
	}
	n, err := strconv.ParseUint(strings.Trim(s, `"`), 10, 64)
	if err != nil {
		return nil, &aggregate.ValidationError{Path: "if-match", Message: fmt.Sprintf("a version number is expected, not %q", s)}
	}
	v := aggregate.Version(n)
	return &v, nil
}
