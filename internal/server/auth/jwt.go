package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/httprc/v3"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/cloudlysis/aggregate"
)

// JWTOptions say which tokens (RFC 7519) are believed.
type JWTOptions struct {
	Keys     string // JWKS (RFC 7517): a file or an http(s) URL
	Issuer   string // iss must be it, unless empty
	Audience string // aud must hold it, unless empty
}

// JWT knows callers by signed tokens. Claims: sub is the actor, tenant binds to a tenant ("*":
// any; absent: the empty one), roles is a list of strings, admin a bool. exp is required. Only
// signatures by asymmetric keys are believed.
type JWT struct {
	opts JWTOptions
	keys func(context.Context) (jwk.Set, error)
	stop context.CancelFunc

	mu    sync.Mutex
	known map[[32]byte]believed
}

// believed is a token that was verified a moment ago: a signature costs as much as ten commands.
type believed struct {
	id    Identity
	until time.Time
}

const (
	// believeFor bounds how long a key that was taken back is still believed.
	believeFor  = time.Minute
	maxBelieved = 4096
)

const (
	// clockSkew is how far the clocks of issuer and node may differ.
	clockSkew = 30 * time.Second
	// fetchTimeout bounds the first fetch of a key set.
	fetchTimeout = 10 * time.Second
)

// OpenJWT reads the key set. One from a URL is refreshed in the background until Close, as its
// cache headers say.
func OpenJWT(ctx context.Context, o JWTOptions) (*JWT, error) {
	if strings.HasPrefix(o.Keys, "http://") || strings.HasPrefix(o.Keys, "https://") {
		return openURL(ctx, o)
	}
	b, err := os.ReadFile(o.Keys)
	if err != nil {
		return nil, fmt.Errorf("jwt keys: %w", err)
	}
	set, err := jwk.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("jwt keys: %s is no key set: %w", o.Keys, err)
	}
	if err := asymmetric(set); err != nil {
		return nil, fmt.Errorf("jwt keys: %s: %w", o.Keys, err)
	}
	return &JWT{opts: o, keys: func(context.Context) (jwk.Set, error) { return set, nil }, stop: func() {}}, nil
}

func openURL(ctx context.Context, o JWTOptions) (*JWT, error) {
	life, stop := context.WithCancel(context.Background())
	cache, err := jwk.NewCache(life, httprc.NewClient(httprc.WithHTTPClient(&http.Client{Timeout: fetchTimeout})))
	if err != nil {
		stop()
		return nil, fmt.Errorf("jwt keys: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if _, err := jwk.Fetch(ctx, o.Keys); err != nil { // the cache would try again until ctx ends
		stop()
		return nil, fmt.Errorf("jwt keys: %s: %w", o.Keys, err)
	}
	if err := cache.Register(ctx, o.Keys, jwk.WithMinInterval(time.Minute), jwk.WithMaxInterval(time.Hour)); err != nil {
		stop()
		return nil, fmt.Errorf("jwt keys: %s: %w", o.Keys, err)
	}
	return &JWT{opts: o, stop: stop, keys: func(ctx context.Context) (jwk.Set, error) {
		set, err := cache.Lookup(ctx, o.Keys)
		if err == nil {
			err = asymmetric(set)
		}
		return set, err
	}}, nil
}

// Close ends the refreshing.
func (j *JWT) Close() { j.stop() }

// asymmetric refuses secret keys: who verifies by one can also sign by it.
func asymmetric(set jwk.Set) error {
	for i := range set.Len() {
		if k, ok := set.Key(i); ok && k.KeyType() == jwa.OctetSeq() {
			return fmt.Errorf("key %d is a secret key: only public keys are taken", i+1)
		}
	}
	return nil
}

// Authenticate implements Authenticator.
func (j *JWT) Authenticate(ctx context.Context, token string) (Identity, error) {
	if strings.Count(token, ".") != 2 {
		return Identity{}, ErrUnknown
	}
	sum, now := sha256.Sum256([]byte(token)), time.Now()
	j.mu.Lock()
	b, ok := j.known[sum]
	j.mu.Unlock()
	if ok && now.Before(b.until) {
		return b.id, nil
	}
	id, expires, err := j.verify(ctx, token)
	if err != nil {
		return Identity{}, err
	}
	until := now.Add(believeFor)
	if expires.Before(until) {
		until = expires
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.known == nil || len(j.known) >= maxBelieved {
		j.known = map[[32]byte]believed{}
	}
	j.known[sum] = believed{id, until}
	return id, nil
}

func (j *JWT) verify(ctx context.Context, token string) (Identity, time.Time, error) {
	set, err := j.keys(ctx)
	if err != nil {
		return Identity{}, time.Time{}, fmt.Errorf("%w: no key set: %w", ErrUnauthenticated, err)
	}
	opts := []jwt.ParseOption{jwt.WithKeySet(set), jwt.WithAcceptableSkew(clockSkew), jwt.WithRequiredClaim(jwt.ExpirationKey)}
	if j.opts.Issuer != "" {
		opts = append(opts, jwt.WithIssuer(j.opts.Issuer))
	}
	if j.opts.Audience != "" {
		opts = append(opts, jwt.WithAudience(j.opts.Audience))
	}
	t, err := jwt.Parse([]byte(token), opts...)
	if err != nil {
		return Identity{}, time.Time{}, fmt.Errorf("%w: %w", ErrUnauthenticated, err)
	}
	expires, _ := t.Expiration()
	id, err := identityOf(t)
	return id, expires.Add(clockSkew), err
}

func identityOf(t jwt.Token) (Identity, error) {
	var (
		id     Identity
		tenant string
		roles  []any
		err    error
	)
	id.Actor, _ = t.Subject()
	if t.Has("tenant") {
		if err := t.Get("tenant", &tenant); err != nil {
			return Identity{}, fmt.Errorf("%w: the claim tenant is no string", ErrUnauthenticated)
		}
	}
	if id.AnyTenant = tenant == "*"; !id.AnyTenant {
		if id.Tenant, err = aggregate.ParseTenantID(tenant); err != nil {
			return Identity{}, fmt.Errorf("%w: the claim tenant: %w", ErrUnauthenticated, err)
		}
	}
	if t.Has("roles") {
		if err := t.Get("roles", &roles); err != nil {
			return Identity{}, fmt.Errorf("%w: the claim roles is no list", ErrUnauthenticated)
		}
	}
	for _, r := range roles {
		s, ok := r.(string)
		if !ok {
			return Identity{}, fmt.Errorf("%w: the claim roles holds something that is no string", ErrUnauthenticated)
		}
		id.Roles = append(id.Roles, s)
	}
	if t.Has("admin") {
		if err := t.Get("admin", &id.Admin); err != nil {
			return Identity{}, fmt.Errorf("%w: the claim admin is no bool", ErrUnauthenticated)
		}
	}
	return id, nil
}
