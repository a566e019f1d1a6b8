package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/engine"
	"github.com/cloudlysis/aggregate/internal/daemon"
	"github.com/cloudlysis/aggregate/internal/loadgen"
	"github.com/cloudlysis/aggregate/internal/telemetry"
)

// benchFlags are the flags of aggd bench beside the settings of --door engine.
type benchFlags struct {
	accessFlags
	door, natsURL, format string
	typ, create, command  string
	o                     loadgen.Options
}

func benchCommand() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use:   "bench [DIR]",
		Short: "Put load on a daemon and measure it",
		Long: "Send commands from many callers to aggregates drawn at random, through one door of a running daemon, or with\n" +
			"--door engine DIR through an engine in this process. Prints commands a second and percentiles, and checks at the\n" +
			"end that the sum of a state field is what was acknowledged; exit 1 if it is not.",
		Example: "  aggd bench --door grpc --callers 64 --aggregates 1000 --duration 10s\n  aggd bench --door engine examples/bank --data /tmp/bench --sync interval --commands 100000",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := textOrJSON(f.format); err != nil {
				return err
			}
			if f.o.Commands == 0 && f.o.Duration == 0 {
				f.o.Duration = 10 * time.Second
			}
			if err := f.o.Validate(); err != nil {
				return err
			}
			t, closing, err := f.target(c, args)
			if err != nil {
				return err
			}
			err = f.run(c, t)
			return errors.Join(err, closing())
		},
	}
	settingFlags(c)
	f.add(c)
	fl := c.Flags()
	fl.StringVar(&f.door, "door", "http", "http, grpc, grpc-stream, nats or engine")
	fl.StringVar(&f.natsURL, "nats-server", "nats://127.0.0.1:4222", "the NATS server of --door nats")
	fl.StringVar(&f.format, "format", "text", "text or json")
	fl.IntVar(&f.o.Callers, "callers", 64, "callers, each with one command under way")
	fl.IntVar(&f.o.Aggregates, "aggregates", 1000, "aggregates")
	fl.IntVar(&f.o.Tenants, "tenants", 1, "tenants that the aggregates are spread over; 1: the default tenant")
	fl.IntVar(&f.o.Commands, "commands", 0, "commands in all; 0: as many as --duration allows")
	fl.DurationVar(&f.o.Duration, "duration", 0, "how long; 0 with --commands: until they are done (default 10s without)")
	fl.StringVar(&f.typ, "type", "Account", "aggregate type")
	fl.StringVar(&f.create, "create", `{"type":"open_account"}`, "first command of each aggregate; empty: none")
	fl.StringVar(&f.command, "command", `{"type":"deposit","amount":1}`, "the command that is measured")
	fl.StringVar(&f.o.SumField, "sum", "balance", "number of the state that is summed at the end; empty: not checked")
	fl.StringVar(&f.o.SumStep, "step", "1", "what each accepted command adds to it")
	return c
}

func (f *benchFlags) run(c *cobra.Command, t loadgen.Target) error {
	typ, err := aggregate.ParseType(f.typ)
	if err != nil {
		return err
	}
	f.o.Type, f.o.Create, f.o.Command = typ, []byte(f.create), []byte(f.command)
	f.o.Progress = progress(c.ErrOrStderr(), f.o.Commands)
	r, err := loadgen.Run(c.Context(), t, f.o)
	if err != nil {
		return &exitError{code: exitEnvError, err: err}
	}
	r.Door = f.door
	printResult(c.OutOrStdout(), &r, f.format)
	if !r.Exact() {
		return &exitError{code: exitRefused, err: fmt.Errorf("the sum is %s, acknowledged were %s", r.Sum, r.WantSum)}
	}
	return nil
}

// progress draws a bar on a terminal, and nothing elsewhere.
func progress(w io.Writer, total int) func(int) {
	out, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) {
		return nil
	}
	if total == 0 {
		total = -1 // unknown: a spinner
	}
	bar := progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionClearOnFinish())
	return func(done int) { _ = bar.Set(done) }
}

func printResult(w io.Writer, r *loadgen.Result, format string) {
	if format == "json" {
		_ = json.NewEncoder(w).Encode(r)
		return
	}
	fmt.Fprintf(w, "%s: %d callers, %d aggregates, %.1f s\n", r.Door, r.Callers, r.Aggregates, r.Seconds)
	fmt.Fprintf(w, "accepted %d (%.0f/s), refused %d, failed %d\n", r.Accepted, r.PerSecond, r.Refused, r.Failed)
	for _, q := range []string{"p50", "p90", "p99", "p99.9", "max"} {
		fmt.Fprintf(w, "%6s %8.2f ms\n", q, r.Latency[q]*1000)
	}
	if r.FirstError != "" {
		fmt.Fprintf(w, "first error: %s\n", r.FirstError)
	}
	if r.WantSum != "" {
		fmt.Fprintf(w, "sum %s, acknowledged %s\n", r.Sum, r.WantSum)
	}
}

// target opens the door; closing lets go of it.
func (f *benchFlags) target(c *cobra.Command, args []string) (t loadgen.Target, closing func() error, err error) {
	none := func() error { return nil }
	f.fill()
	secure, err := f.files().Config()
	if err != nil {
		return nil, nil, &exitError{code: exitEnvError, err: err}
	}
	switch f.door {
	case "http":
		return loadgen.NewHTTPS(f.server, f.token, f.o.Callers, secure), none, nil
	case "nats":
		nc, err := nats.Connect(f.natsURL, func(o *nats.Options) error { o.TLSConfig = secure; return nil })
		if err != nil {
			return nil, nil, &exitError{code: exitEnvError, err: err}
		}
		return loadgen.NewNATS(nc, loadgen.NewHTTPS(f.server, f.token, f.o.Callers, secure), f.token), func() error { nc.Close(); return nil }, nil
	case "grpc", "grpc-stream":
		cc, err := f.dial(secure)
		if err != nil {
			return nil, nil, err
		}
		g := loadgen.NewGRPC(cc, f.token)
		if f.door == "grpc" {
			return g, cc.Close, nil
		}
		s, err := loadgen.NewStream(c.Context(), g)
		if err != nil {
			return nil, nil, errors.Join(&exitError{code: exitEnvError, err: err}, cc.Close())
		}
		return s, func() error { return errors.Join(s.Close(), cc.Close()) }, nil
	case "engine":
		return f.engine(c, args)
	}
	return nil, nil, fmt.Errorf("--door %q: http, grpc, grpc-stream, nats or engine is expected", f.door)
}

// dial opens the gRPC door of --server.
func (f *benchFlags) dial(secure *tls.Config) (*grpc.ClientConn, error) {
	if addr, ok := strings.CutPrefix(f.server, "https://"); ok {
		return grpc.NewClient(addr, grpc.WithTransportCredentials(credentials.NewTLS(secure)))
	}
	return grpc.NewClient(strings.TrimPrefix(f.server, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
}

func (f *benchFlags) engine(c *cobra.Command, args []string) (loadgen.Target, func() error, error) {
	s, _, err := settings(c, args)
	if err == nil {
		err = s.Validate()
	}
	if err != nil {
		return nil, nil, err
	}
	var level telemetry.Level
	_ = level.Set("error")
	e, closing, err := daemon.OpenEngine(c.Context(), daemon.Options{Settings: s, Version: version, Level: &level,
		Log: telemetry.NewLogger(c.ErrOrStderr(), &level, s.Environment), Diagnostics: c.ErrOrStderr()})
	if err != nil {
		return nil, nil, served(err)
	}
	return inProcess{e}, closing, nil
}

// inProcess is the engine without a door.
type inProcess struct{ e *engine.Engine }

// Submit implements loadgen.Target.
func (t inProcess) Submit(ctx context.Context, key aggregate.Key, command aggregate.ID, payload []byte) error {
	_, err := t.e.Submit(ctx, &aggregate.Command{TenantID: key.Tenant, AggregateType: key.Type, AggregateID: key.ID, CommandID: command, Payload: payload})
	var (
		rejected *aggregate.RejectedError
		invalid  *aggregate.ValidationError
	)
	if errors.As(err, &rejected) || errors.As(err, &invalid) {
		return fmt.Errorf("%w: %w", loadgen.ErrRefused, err)
	}
	return err
}

// State implements loadgen.Target.
func (t inProcess) State(ctx context.Context, key aggregate.Key) ([]byte, error) {
	s, err := t.e.State(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.State, nil
}
