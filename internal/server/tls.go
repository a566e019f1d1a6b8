package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// TLSFiles are the PEM files of a door.
type TLSFiles struct {
	Cert, Key string
	// ClientCA, when set, refuses clients without a certificate that it signed (mTLS).
	ClientCA string
}

// TLS keeps a door's certificates; renewed files are taken up within a second, and a broken
// renewal leaves the old ones in force.
type TLS struct {
	files TLSFiles

	mu      sync.Mutex
	checked time.Time
	stamps  []time.Time
	config  *tls.Config
	broken  error
}

// certRecheck is how often the files' times are looked at, at most once a handshake.
const certRecheck = time.Second

// NewTLS reads the files.
func NewTLS(f TLSFiles) (*TLS, error) {
	t := &TLS{files: f}
	if err := t.load(); err != nil {
		return nil, err
	}
	return t, nil
}

// Config is the server configuration of a listener. A client that offers HTTP/1.1 gets it, one
// that offers only h2 is a gRPC client: so Split can tell them apart by what was negotiated.
func (t *TLS) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		c := t.current().Clone()
		c.NextProtos = []string{"http/1.1"}
		if slices.Contains(hello.SupportedProtos, "h2") && !slices.Contains(hello.SupportedProtos, "http/1.1") {
			c.NextProtos = []string{"h2"}
		}
		return c, nil
	}}
}

// Err is why the present files are not in force; nil when they are.
func (t *TLS) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.broken
}

func (t *TLS) current() *tls.Config {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); now.Sub(t.checked) >= certRecheck {
		t.checked = now
		t.broken = t.load()
	}
	return t.config
}

// load reads the files if one has changed; the caller holds mu, or is NewTLS.
func (t *TLS) load() error {
	stamps, err := t.times()
	if err != nil {
		return err
	}
	if t.config != nil && slices.Equal(stamps, t.stamps) {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(t.files.Cert, t.files.Key)
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}
	if t.files.ClientCA != "" {
		if c.ClientCAs, err = pool(t.files.ClientCA); err != nil {
			return err
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	t.config, t.stamps = c, stamps
	return nil
}

func (t *TLS) times() ([]time.Time, error) {
	var out []time.Time
	for _, f := range []string{t.files.Cert, t.files.Key, t.files.ClientCA} {
		if f == "" {
			continue
		}
		st, err := os.Stat(f)
		if err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
		out = append(out, st.ModTime())
	}
	return out, nil
}

func pool(file string) (*x509.CertPool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(b) {
		return nil, errors.New("tls: " + file + " holds no certificate")
	}
	return p, nil
}
