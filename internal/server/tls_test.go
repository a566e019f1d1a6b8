package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
)

// authority signs certificates for 127.0.0.1.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir(), pool: x509.NewCertPool()}
	a.cert, a.key = a.make("ca", nil, nil)
	a.pool.AddCert(a.cert)
	a.file = filepath.Join(a.dir, "ca.pem")
	return a
}

// make writes name.pem and name.key, signed by parent, or by itself when nil.
func (a *authority) make(name string, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: parent == nil,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if parent == nil {
		parent, signer = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	kb, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	a.write(name+".key", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: kb}))
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) write(name string, b []byte) {
	if err := os.WriteFile(filepath.Join(a.dir, name), b, 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func (a *authority) pair(name string) (cert, key string) {
	return filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")
}

// secureDoor is door under TLS.
func secureDoor(t *testing.T, c *tls.Config) string {
	t.Helper()
	f := &fakeCommands{submit: accept}
	return serveDoor(t, f, nil, c)
}

func TestTLSBothProtocolsByALPN(t *testing.T) {
	a := newAuthority(t)
	a.make("server", a.cert, a.key)
	cert, key := a.pair("server")
	s, err := NewTLS(TLSFiles{Cert: cert, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	addr := secureDoor(t, s.Config())
	for _, h2 := range []bool{false, true} { // a client that offers both gets HTTP/1.1
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.pool}, ForceAttemptHTTP2: h2}}
		resp, err := c.Get("https://" + addr + "/v1/nothing")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 404 {
			t.Errorf("got %d", resp.StatusCode)
		}
	}
	submit(t, addr, credentials.NewTLS(&tls.Config{RootCAs: a.pool}), true)
	if _, err := http.Get("https://" + addr); err == nil {
		t.Error("a client that does not know the authority was served")
	}
	if resp, err := http.Get("http://" + addr + "/"); err == nil && resp.StatusCode == 200 {
		t.Error("served without TLS")
	}
}

func submit(t *testing.T, addr string, creds credentials.TransportCredentials, ok bool) {
	t.Helper()
	cc, err := grpc.NewClient(addr, grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	_, err = pb.NewCommandServiceClient(cc).SubmitCommand(t.Context(), &pb.SubmitCommandRequest{AggregateType: "Account", AggregateId: testID, PayloadJson: `{}`})
	if (err == nil) != ok {
		t.Errorf("gRPC: got %v, want success %v", err, ok)
	}
}

func TestMutualTLS(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	a.make("server", a.cert, a.key)
	a.make("client", a.cert, a.key)
	other.make("client", other.cert, other.key)
	cert, key := a.pair("server")
	s, err := NewTLS(TLSFiles{Cert: cert, Key: key, ClientCA: a.file})
	if err != nil {
		t.Fatal(err)
	}
	addr := secureDoor(t, s.Config())
	for _, tt := range []struct {
		name string
		from *authority
		ok   bool
	}{{"ours", a, true}, {"signed by another", other, false}, {"none", nil, false}} {
		t.Run(tt.name, func(t *testing.T) {
			c := &tls.Config{RootCAs: a.pool}
			if tt.from != nil {
				pair, err := tls.LoadX509KeyPair(tt.from.pair("client"))
				if err != nil {
					t.Fatal(err)
				}
				c.Certificates = []tls.Certificate{pair}
			}
			submit(t, addr, credentials.NewTLS(c), tt.ok)
		})
	}
}

func TestCertificatesAreReloaded(t *testing.T) {
	a := newAuthority(t)
	first, _ := a.make("server", a.cert, a.key)
	cert, key := a.pair("server")
	s, err := NewTLS(TLSFiles{Cert: cert, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	addr := secureDoor(t, s.Config())
	serial := func() *big.Int {
		c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: a.pool})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber
	}
	if serial().Cmp(first.SerialNumber) != 0 {
		t.Fatal("not the first certificate")
	}
	renew := func(change func()) {
		change()
		later := time.Now().Add(time.Minute)
		_ = os.Chtimes(cert, later, later)
		s.mu.Lock()
		s.checked = time.Time{}
		s.mu.Unlock()
	}
	renew(func() { a.write("server.pem", []byte("broken")) })
	if serial().Cmp(first.SerialNumber) != 0 || s.Err() == nil {
		t.Errorf("a broken renewal: got another certificate, or no error (%v)", s.Err())
	}
	var second *x509.Certificate
	renew(func() { second, _ = a.make("server", a.cert, a.key) })
	s.mu.Lock()
	s.stamps = nil
	s.mu.Unlock()
	if serial().Cmp(second.SerialNumber) != 0 || s.Err() != nil {
		t.Errorf("not the renewed certificate: %v", s.Err())
	}
}

func TestTLSFilesRefused(t *testing.T) {
	a := newAuthority(t)
	a.make("server", a.cert, a.key)
	cert, key := a.pair("server")
	a.write("junk", []byte("junk"))
	junk := filepath.Join(a.dir, "junk")
	for _, f := range []TLSFiles{{}, {Cert: cert}, {Cert: junk, Key: key}, {Cert: cert, Key: a.file}, {Cert: cert, Key: key, ClientCA: junk}} {
		if _, err := NewTLS(f); err == nil {
			t.Errorf("%+v: no error", f)
		}
	}
}
