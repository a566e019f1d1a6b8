package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/internal/client"
)

func healthCommand() *cobra.Command {
	var url string
	c := &cobra.Command{
		Use: "health", Short: "Ask a daemon's admin door whether it is healthy; exit 1 if not", Args: cobra.NoArgs,
		Long: "Ask the admin door for /health. Without --admin the address and the certificate are those of the environment\n" +
			"(AGGREGATE_ADMIN_LISTEN, AGGREGATE_TLS_CERT), so a container checks itself.",
		Example: "  aggd health --admin http://127.0.0.1:8081",
		RunE: func(c *cobra.Command, _ []string) error {
			cl := client.New(url, "")
			if cert, key := os.Getenv("AGGREGATE_TLS_CERT"), os.Getenv("AGGREGATE_TLS_KEY"); cert != "" {
				t, err := ownTLS(cert, key)
				if err != nil {
					return &exitError{code: exitEnvError, err: err}
				}
				cl.HTTP.Transport = &http.Transport{TLSClientConfig: t}
			}
			body, err := cl.Get(c.Context(), "/health")
			return answer(c, body, err)
		},
	}
	c.Flags().StringVar(&url, "admin", ownAdmin(), "the daemon's admin door")
	return c
}

// ownAdmin is the admin door of a daemon in the same environment.
func ownAdmin() string {
	scheme := "http://"
	if os.Getenv("AGGREGATE_TLS_CERT") != "" {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(os.Getenv("AGGREGATE_ADMIN_LISTEN"))
	if err != nil {
		return scheme + "127.0.0.1:8081"
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + net.JoinHostPort(host, port)
}

// ownTLS trusts exactly the certificate in the file, whatever name it is for, and shows it to a
// door that asks for one.
func ownTLS(cert, key string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, // the comparison below is stricter than the names and dates that it skips
		VerifyPeerCertificate: func(got [][]byte, _ [][]*x509.Certificate) error {
			if len(got) == 0 || !bytes.Equal(got[0], pair.Certificate[0]) {
				return errors.New("the door shows another certificate than the file")
			}
			return nil
		}}, nil
}
