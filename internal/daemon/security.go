package daemon

import (
	"context"

	"github.com/cloudlysis/aggregate/internal/server"
	"github.com/cloudlysis/aggregate/internal/server/auth"
)

// openAuth reads what callers are known by; without any setting nobody is asked.
func (d *daemon) openAuth(ctx context.Context) error {
	s := &d.opts.Settings
	var chain auth.Chain
	if s.AuthTokens != "" {
		t, err := auth.OpenTokens(s.AuthTokens)
		if err != nil {
			return err
		}
		chain = append(chain, t)
	}
	if s.JWTKeys != "" {
		j, err := auth.OpenJWT(ctx, auth.JWTOptions{Keys: s.JWTKeys, Issuer: s.JWTIssuer, Audience: s.JWTAudience})
		if err != nil {
			return err
		}
		d.onClose(func(context.Context) error { j.Close(); return nil })
		chain = append(chain, j)
	}
	if len(chain) > 0 {
		d.auth = chain
	}
	return nil
}

// openTLS reads the certificates of the doors; without any they speak in the clear.
func (d *daemon) openTLS(context.Context) error {
	s := &d.opts.Settings
	if s.TLSCert == "" {
		return nil
	}
	t, err := server.NewTLS(server.TLSFiles{Cert: s.TLSCert, Key: s.TLSKey, ClientCA: s.TLSClientCA})
	if err != nil {
		return err
	}
	d.tls = t.Config()
	return nil
}
