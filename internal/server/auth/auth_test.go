package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

func tokenFileAt(t *testing.T, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "tokens.yaml")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTokens(t *testing.T) {
	token, hash := NewToken()
	any, anyHash := NewToken()
	p := tokenFileAt(t, fmt.Sprintf("tokens:\n- {sha256: %s, actor: gateway, tenant: acme, roles: [teller, manager]}\n- {sha256: %s, actor: root, tenant: \"*\", admin: true}\n", hash, anyHash))
	a, err := OpenTokens(p)
	if err != nil {
		t.Fatal(err)
	}
	a.every = 0
	got, err := a.Authenticate(t.Context(), token)
	if want := (Identity{Actor: "gateway", Tenant: "acme", Roles: []string{"teller", "manager"}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := a.Authenticate(t.Context(), any); err != nil || !got.AnyTenant || !got.Admin {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "x", token + "x", tokenPrefix} {
		if _, err := a.Authenticate(t.Context(), bad); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	// A broken new version leaves the old one in force; a sound one takes its place.
	write := func(text string, at time.Time) {
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = os.Chtimes(p, at, at)
	}
	write("tokens: [", time.Now().Add(time.Hour))
	if _, err := a.Authenticate(t.Context(), token); err != nil || a.Err() == nil {
		t.Errorf("broken file: got %v, Err %v", err, a.Err())
	}
	write("tokens: []\n", time.Now().Add(2*time.Hour))
	if _, err := a.Authenticate(t.Context(), token); !errors.Is(err, ErrUnauthenticated) || a.Err() != nil {
		t.Errorf("a token that was taken back: got %v, Err %v", err, a.Err())
	}
}

func TestTokenFilesRefused(t *testing.T) {
	h := strings.Repeat("0", 64)
	for _, bad := range []string{"tokens: [{sha256: abc}]", "tokens: [{sha256: " + h + ", tenant: a.b}]", "tokens: [{sha256: " + h + "}, {sha256: " + h + "}]", "tokens: [{sha265: x}]", "["} {
		if _, err := OpenTokens(tokenFileAt(t, bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
	if _, err := OpenTokens("/nowhere"); err == nil {
		t.Error("an absent file is no error")
	}
}

// issuer signs tokens.
type issuer struct {
	key jwk.Key
	set []byte
}

func newIssuer(t *testing.T, kid string) *issuer {
	t.Helper()
	raw, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := jwk.Import(raw)
	if err != nil {
		t.Fatal(err)
	}
	_ = key.Set(jwk.KeyIDKey, kid)
	_ = key.Set(jwk.AlgorithmKey, jwa.ES256())
	pub, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	set := jwk.NewSet()
	_ = set.AddKey(pub)
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{key: key, set: b}
}

func (i *issuer) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	tok := jwt.New()
	for k, v := range claims {
		if err := tok.Set(k, v); err != nil {
			t.Fatal(err)
		}
	}
	b, err := jwt.Sign(tok, jwt.WithKey(jwa.ES256(), i.key))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestJWT(t *testing.T) {
	good, evil := newIssuer(t, "k1"), newIssuer(t, "k1")
	served := good.set
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(served) }))
	defer srv.Close()
	keyFile := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(keyFile, good.set, 0o600); err != nil {
		t.Fatal(err)
	}
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	base := func(more map[string]any) map[string]any {
		m := map[string]any{"sub": "ann", "iss": "https://id", "aud": "aggd", "exp": soon, "tenant": "acme", "roles": []string{"teller"}}
		for k, v := range more {
			if v == nil {
				delete(m, k)
			} else {
				m[k] = v
			}
		}
		return m
	}
	for _, keys := range []string{srv.URL, keyFile} {
		j, err := OpenJWT(t.Context(), JWTOptions{Keys: keys, Issuer: "https://id", Audience: "aggd"})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		got, err := j.Authenticate(t.Context(), good.sign(t, base(nil)))
		if want := (Identity{Actor: "ann", Tenant: "acme", Roles: []string{"teller"}}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
		if got, err := j.Authenticate(t.Context(), good.sign(t, base(map[string]any{"tenant": "*", "admin": true}))); err != nil || !got.AnyTenant || !got.Admin {
			t.Errorf("got %+v, %v", got, err)
		}
		bad := map[string]string{
			"forged":        evil.sign(t, base(nil)),
			"expired":       good.sign(t, base(map[string]any{"exp": past})),
			"no expiry":     good.sign(t, base(map[string]any{"exp": nil})),
			"not yet valid": good.sign(t, base(map[string]any{"nbf": soon})),
			"other issuer":  good.sign(t, base(map[string]any{"iss": "https://evil"})),
			"other reader":  good.sign(t, base(map[string]any{"aud": "x"})),
			"bad tenant":    good.sign(t, base(map[string]any{"tenant": "a.b"})),
			"number tenant": good.sign(t, base(map[string]any{"tenant": 5})),
			"bad roles":     good.sign(t, base(map[string]any{"roles": []any{1}})),
			"not signed":    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.",
			"no token":      "a.b.c",
			"not a jwt":     "abc",
		}
		for name, tok := range bad {
			if id, err := j.Authenticate(t.Context(), tok); !errors.Is(err, ErrUnauthenticated) {
				t.Errorf("%s: got %+v, %v", name, id, err)
			}
		}
	}
}

func TestJWTKeysRefused(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "s.json")
	if err := os.WriteFile(secret, []byte(`{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"k"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"/nowhere", secret, "http://127.0.0.1:1/jwks"} {
		if j, err := OpenJWT(t.Context(), JWTOptions{Keys: bad}); err == nil {
			j.Close()
			t.Errorf("%s: no error", bad)
		}
	}
}

func TestChain(t *testing.T) {
	token, hash := NewToken()
	tokens, err := OpenTokens(tokenFileAt(t, "tokens: [{sha256: "+hash+", actor: a}]"))
	if err != nil {
		t.Fatal(err)
	}
	is := newIssuer(t, "k")
	keyFile := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(keyFile, is.set, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := OpenJWT(t.Context(), JWTOptions{Keys: keyFile})
	if err != nil {
		t.Fatal(err)
	}
	c := Chain{tokens, j}
	for _, tok := range []string{token, is.sign(t, map[string]any{"sub": "a", "exp": time.Now().Add(time.Hour)})} {
		if id, err := c.Authenticate(t.Context(), tok); err != nil || id.Actor != "a" {
			t.Errorf("got %+v, %v", id, err)
		}
	}
	if _, err := c.Authenticate(t.Context(), "neither"); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("got %v", err)
	}
}
