package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/cloudlysis/aggregate"
)

// tokenPrefix marks our tokens, so that scanners for leaked secrets can find them and a JWT is
// never looked up.
const tokenPrefix = "aggt_"

// Tokens knows callers by random tokens whose SHA-256 stand in a file:
//
//	tokens:
//	  - sha256: 9f86d08…      # of the token, by aggd token
//	    actor: gateway
//	    tenant: acme          # or "*" for any; absent: the empty tenant
//	    roles: [teller]
//	    admin: false
//
// A token has 256 random bits, so a plain hash is enough. The file is read again when it has
// changed; a broken new version leaves the old one in force.
type Tokens struct {
	file  string
	every time.Duration

	mu      sync.Mutex
	checked time.Time
	stamp   time.Time
	size    int64
	byHash  map[[32]byte]Identity
	broken  error
}

// recheck is how often the file's time is looked at.
const recheck = time.Second

// OpenTokens reads the file.
func OpenTokens(file string) (*Tokens, error) {
	t := &Tokens{file: file, every: recheck}
	if err := t.load(); err != nil {
		return nil, err
	}
	return t, nil
}

// NewToken makes a token and the hash for the file.
func NewToken() (token, hash string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails (crypto/rand)
	token = tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	sum := sha256.Sum256([]byte(token))
	return token, hex.EncodeToString(sum[:])
}

// Authenticate implements Authenticator.
func (t *Tokens) Authenticate(_ context.Context, token string) (Identity, error) {
	if !strings.HasPrefix(token, tokenPrefix) {
		return Identity{}, ErrUnknown
	}
	sum := sha256.Sum256([]byte(token))
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); now.Sub(t.checked) >= t.every {
		t.checked = now
		t.broken = t.load()
	}
	id, ok := t.byHash[sum]
	if !ok {
		return Identity{}, fmt.Errorf("%w: the token is not known", ErrUnauthenticated)
	}
	return id, nil
}

// Err is why the file's present version is not in force; nil when it is.
func (t *Tokens) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.broken
}

type tokenFile struct {
	Tokens []struct {
		SHA256 string   `yaml:"sha256"`
		Actor  string   `yaml:"actor"`
		Tenant string   `yaml:"tenant"`
		Roles  []string `yaml:"roles"`
		Admin  bool     `yaml:"admin"`
	} `yaml:"tokens"`
}

// load reads the file if it has changed; the caller holds mu, or is OpenTokens.
func (t *Tokens) load() error {
	st, err := os.Stat(t.file)
	if err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	if t.byHash != nil && st.ModTime().Equal(t.stamp) && st.Size() == t.size {
		return t.broken
	}
	t.stamp, t.size = st.ModTime(), st.Size()
	f, err := os.Open(t.file)
	if err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	defer f.Close()
	var in tokenFile
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(&in); err != nil && !errors.Is(err, io.EOF) { // an empty file lets nobody in
		return fmt.Errorf("tokens: %s: %w (hint: the file is \"tokens:\" and below it a line of aggd token for each)", t.file, err)
	}
	byHash, err := in.identities()
	if err != nil {
		return fmt.Errorf("tokens: %s: %w", t.file, err)
	}
	t.byHash = byHash
	return nil
}

func (f *tokenFile) identities() (map[[32]byte]Identity, error) {
	out := make(map[[32]byte]Identity, len(f.Tokens))
	for i, e := range f.Tokens {
		b, err := hex.DecodeString(e.SHA256)
		if err != nil || len(b) != 32 {
			return nil, fmt.Errorf("token %d (%s): sha256 must be 64 hex digits", i+1, e.Actor)
		}
		id := Identity{Actor: e.Actor, Roles: e.Roles, Admin: e.Admin, AnyTenant: e.Tenant == "*"}
		if !id.AnyTenant {
			if id.Tenant, err = aggregate.ParseTenantID(e.Tenant); err != nil {
				return nil, fmt.Errorf("token %d (%s): %w", i+1, e.Actor, err)
			}
		}
		if _, twice := out[[32]byte(b)]; twice {
			return nil, fmt.Errorf("token %d (%s): its hash is there twice", i+1, e.Actor)
		}
		out[[32]byte(b)] = id
	}
	return out, nil
}
