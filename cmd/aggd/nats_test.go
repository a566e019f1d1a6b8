package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/cloudlysis/aggregate"
)

// guarded runs an external nats-server with options that ask who a client is.
func guarded(t *testing.T, o server.Options) string {
	t.Helper()
	o.Host, o.Port, o.JetStream, o.StoreDir, o.NoSigs, o.NoLog = "127.0.0.1", -1, true, t.TempDir(), true, true
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("nats-server is not ready")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return strings.Replace(s.ClientURL(), "127.0.0.1", "localhost", 1)
}

// key makes a key and gives its public half and its seed.
func key(t *testing.T, make func() (nkeys.KeyPair, error)) (nkeys.KeyPair, string, []byte) {
	t.Helper()
	k, err := make()
	if err != nil {
		t.Fatal(err)
	}
	pub, err := k.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := k.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return k, pub, seed
}

func secretFile(t *testing.T, text []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(p, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// serves starts aggd with variables and sends one command; without them it must not start.
func serves(t *testing.T, url string, env map[string]string) {
	t.Helper()
	c := aggd("serve", bank, "--data", t.TempDir(), "--nats", url, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	if out, err := c.CombinedOutput(); err == nil || c.ProcessState.ExitCode() != 3 {
		t.Fatalf("without credentials: exit %d: %s", c.ProcessState.ExitCode(), out)
	}
	for k, v := range env {
		t.Setenv(k, v)
	}
	n := start(t, bank, t.TempDir(), "--nats", url)
	n.Want(n.Command(aggregate.NewID(), `{"type":"open_account"}`), 200, 1)
	if code := n.Stop(); code != 0 {
		t.Errorf("exit %d: %s", code, n.Log)
	}
}

// TestNATSByKeyAndCertificate: an external server that asks for an nkey, under mTLS.
func TestNATSByKeyAndCertificate(t *testing.T) {
	cert, certKey := selfSigned(t, t.TempDir(), "localhost")
	pair, err := tls.LoadX509KeyPair(cert, certKey)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	_, pub, seed := key(t, nkeys.CreateUser)
	url := guarded(t, server.Options{Nkeys: []*server.NkeyUser{{Nkey: pub}}, TLSTimeout: 10, TLSVerify: true,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}})
	serves(t, url, map[string]string{"AGGREGATE_NATS_NKEY": secretFile(t, seed), "AGGREGATE_NATS_CA": cert, "AGGREGATE_NATS_CERT": cert, "AGGREGATE_NATS_KEY": certKey})
}

// TestNATSByCredentials: an external server of an operator, whose accounts and users are JWTs.
func TestNATSByCredentials(t *testing.T) {
	encode := func(c interface {
		Encode(nkeys.KeyPair) (string, error)
	}, by nkeys.KeyPair) string {
		t.Helper()
		s, err := c.Encode(by)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	operator, operatorPub, _ := key(t, nkeys.CreateOperator)
	account, accountPub, _ := key(t, nkeys.CreateAccount)
	_, systemPub, _ := key(t, nkeys.CreateAccount)
	_, userPub, userSeed := key(t, nkeys.CreateUser)
	oc, ac, sc := jwt.NewOperatorClaims(operatorPub), jwt.NewAccountClaims(accountPub), jwt.NewAccountClaims(systemPub)
	oc.SystemAccount = systemPub
	ac.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit}
	trusted, err := jwt.DecodeOperatorClaims(encode(oc, operator))
	if err != nil {
		t.Fatal(err)
	}
	resolver := &server.MemAccResolver{}
	for pub, claims := range map[string]*jwt.AccountClaims{accountPub: ac, systemPub: sc} {
		if err := resolver.Store(pub, encode(claims, operator)); err != nil {
			t.Fatal(err)
		}
	}
	creds, err := jwt.FormatUserConfig(encode(jwt.NewUserClaims(userPub), account), userSeed)
	if err != nil {
		t.Fatal(err)
	}
	url := guarded(t, server.Options{TrustedOperators: []*jwt.OperatorClaims{trusted}, AccountResolver: resolver, SystemAccount: systemPub})
	serves(t, url, map[string]string{"AGGREGATE_NATS_CREDS": secretFile(t, creds)})
}
