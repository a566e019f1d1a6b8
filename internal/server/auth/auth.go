package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudlysis/aggregate"
)

// ErrUnauthenticated: the credential is absent, unknown, expired or forged.
var ErrUnauthenticated = errors.New("unauthenticated")

// ErrUnknown: the credential is not of the authenticator's kind; the next one may know it. It
// matches ErrUnauthenticated.
var ErrUnknown = fmt.Errorf("%w: unknown credential", ErrUnauthenticated)

// Identity is who asks.
type Identity struct {
	Actor string
	Roles []string // ctx.roles
	// Tenant binds the caller to one tenant unless AnyTenant.
	Tenant    aggregate.TenantID
	AnyTenant bool
	Admin     bool // may use the admin door
}

// Authenticator knows callers by a bearer token (RFC 6750).
type Authenticator interface {
	// Authenticate gives the identity of a token, or an error that matches ErrUnauthenticated.
	Authenticate(ctx context.Context, token string) (Identity, error)
}

// Chain asks its authenticators one after another; the first that knows the kind of credential
// decides.
type Chain []Authenticator

// Authenticate implements Authenticator.
func (c Chain) Authenticate(ctx context.Context, token string) (Identity, error) {
	for _, a := range c {
		id, err := a.Authenticate(ctx, token)
		if !errors.Is(err, ErrUnknown) {
			return id, err
		}
	}
	return Identity{}, ErrUnknown
}
