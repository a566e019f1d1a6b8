package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/internal/client"
	"github.com/cloudlysis/aggregate/internal/config"
)

func healthCommand() *cobra.Command {
	var url string
	c := &cobra.Command{
		Use: "health", Short: "Ask a daemon's admin door whether it is healthy; exit 1 if not", Args: cobra.NoArgs,
		Long: "Ask the admin door for /health. Without --admin the address and the certificate are those of the settings in the\n" +
			"environment and the settings file (admin.listen, tls.cert), so a container checks itself.",
		Example: "  aggd health --admin http://127.0.0.1:8081",
		RunE: func(c *cobra.Command, _ []string) error {
			s, _, err := settings(c, nil)
			if err != nil {
				return err
			}
			if url == "" {
				url = ownAdmin(&s)
			}
			cl := client.New(url, "")
			if s.TLSCert != "" {
				t, err := ownTLS(s.TLSCert, s.TLSKey)
				if err != nil {
					return &exitError{code: exitEnvError, err: err}
				}
				cl.HTTP.Transport = &http.Transport{TLSClientConfig: t}
			}
			body, err := cl.Get(c.Context(), "/health")
			return answer(c, body, err)
		},
	}
	c.Flags().StringVar(&url, "admin", "", "the daemon's admin door; empty: that of the settings")
	configFlag(c)
	return c
}

// ownAdmin is the admin door of a daemon with these settings, as this machine reaches it.
func ownAdmin(s *config.Settings) string {
	scheme := "http://"
	if s.TLSCert != "" {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(s.AdminListen)
	if err != nil {
		return scheme + s.AdminListen
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
