package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// selfSigned writes a certificate for a name that no health check uses.
func selfSigned(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: kb}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestHealthUnderTLS: a container's check of itself, by its own certificate and no other.
func TestHealthUnderTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := selfSigned(t, dir, "aggd.example")
	t.Setenv("AGGREGATE_TLS_CERT", cert)
	t.Setenv("AGGREGATE_TLS_KEY", key)
	n := start(t, bank, t.TempDir())
	t.Setenv("AGGREGATE_ADMIN_LISTEN", strings.TrimPrefix(n.Admin, "http://"))
	if out, err := aggd("health").CombinedOutput(); err != nil || !strings.Contains(string(out), `"healthy":true`) {
		t.Errorf("got %s, %v", out, err)
	}
	other, otherKey := selfSigned(t, dir, "other.example")
	t.Setenv("AGGREGATE_TLS_CERT", other)
	t.Setenv("AGGREGATE_TLS_KEY", otherKey)
	if out, err := aggd("health").CombinedOutput(); err == nil {
		t.Errorf("another certificate: got %s", out)
	}
}
