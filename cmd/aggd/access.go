package main

import (
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/internal/client"
)

// accessFlags are how a daemon is reached: its address, a token, certificates. What is not given
// comes from the environment, which keeps a token out of ps and of --help.
type accessFlags struct{ server, token, ca, cert, key string }

func (f *accessFlags) add(c *cobra.Command) {
	f.server = os.Getenv("AGGREGATE_SERVER")
	if f.server == "" {
		f.server = "http://127.0.0.1:8080"
	}
	c.Flags().StringVar(&f.server, "server", f.server, "the daemon's HTTP door (AGGREGATE_SERVER)")
	f.addCredentials(c)
}

func (f *accessFlags) addCredentials(c *cobra.Command) {
	c.Flags().StringVar(&f.token, "token", "", "bearer token (AGGREGATE_TOKEN)")
	c.Flags().StringVar(&f.ca, "ca", "", "PEM certificates that sign the daemon's; else the system's (AGGREGATE_CA)")
	c.Flags().StringVar(&f.cert, "cert", "", "PEM client certificate, for a daemon that asks for one (AGGREGATE_CERT)")
	c.Flags().StringVar(&f.key, "key", "", "PEM key of --cert (AGGREGATE_KEY)")
}

// fill takes what no flag gave from the environment.
func (f *accessFlags) fill() {
	for name, v := range map[string]*string{"AGGREGATE_TOKEN": &f.token, "AGGREGATE_CA": &f.ca, "AGGREGATE_CERT": &f.cert, "AGGREGATE_KEY": &f.key} {
		if *v == "" {
			*v = os.Getenv(name)
		}
	}
}

func (f *accessFlags) files() client.TLSFiles {
	return client.TLSFiles{CA: f.ca, Cert: f.cert, Key: f.key}
}

// open makes a client of the daemon; tenant may be empty.
func (f *accessFlags) open(tenant string) (*client.Client, error) {
	f.fill()
	cl := client.New(f.server, tenant)
	cl.Token = f.token
	t, err := f.files().Config()
	if err != nil {
		return nil, &exitError{code: exitEnvError, err: err}
	}
	if t != nil {
		cl.HTTP.Transport = &http.Transport{TLSClientConfig: t}
	}
	return cl, nil
}
