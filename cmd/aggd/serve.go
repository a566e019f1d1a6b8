package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cloudlysis/aggregate/internal/config"
	"github.com/cloudlysis/aggregate/internal/daemon"
	"github.com/cloudlysis/aggregate/internal/telemetry"
)

// settingFlags adds --config and a flag for each setting that has one.
func settingFlags(c *cobra.Command) {
	configFlag(c)
	for _, r := range config.Table {
		switch {
		case r.Flag == "insecure":
			c.Flags().Bool(r.Flag, false, r.Doc)
		case r.Flag != "":
			c.Flags().String(r.Flag, r.Default, r.Doc)
		}
	}
}

func configFlag(c *cobra.Command) {
	c.Flags().String("config", "", "settings file, .yaml or .toml (AGGREGATE_CONFIG; else aggregate.yaml or aggregate.toml here)")
}

// settings lays flags, environment and file over the defaults.
func settings(c *cobra.Command, args []string) (config.Settings, []config.Value, error) {
	src := config.Sources{Env: os.LookupEnv, Environ: os.Environ(), Flags: map[string]string{}, File: settingsFile(c)}
	keys := map[string]string{}
	for _, r := range config.Table {
		keys[r.Flag] = r.Key
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		if key := keys[f.Name]; key != "" {
			src.Flags[key] = f.Value.String()
		}
	})
	if len(args) > 0 {
		src.Flags["manifests"] = args[0]
	}
	return config.Load(src)
}

func settingsFile(c *cobra.Command) string {
	if name, _ := c.Flags().GetString("config"); name != "" {
		return name
	}
	if name := os.Getenv("AGGREGATE_CONFIG"); name != "" {
		return name
	}
	for _, name := range []string{"aggregate.yaml", "aggregate.toml"} {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			return name
		}
	}
	return ""
}

func serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve DIR",
		Short: "Serve the manifests of a directory",
		Long: "Compile the manifests of DIR (or of a YAML or JSON index) and serve them until SIGTERM or SIGINT; then finish\n" +
			"what is in flight and leave. A second signal leaves at once. Broken manifests: diagnostics, exit 1, nothing started.",
		Example: "  aggd serve examples/bank\n  aggd serve examples/bank --nats nats://nats.example:4222 --listen 0.0.0.0:8080",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, _, err := settings(c, args)
			if err == nil {
				err = s.Validate()
			}
			if err != nil {
				return err
			}
			var level telemetry.Level
			if err := level.Set(s.LogLevel); err != nil {
				return err
			}
			out := c.ErrOrStderr()
			var socket *telemetry.Socket
			if s.LoggerSocket != "" {
				socket = telemetry.NewSocket(s.LoggerSocket)
				defer socket.Close()
				out = io.MultiWriter(out, socket)
			}
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
			context.AfterFunc(ctx, stop) // a second signal meets the default action
			defer stop()
			log := telemetry.NewLogger(out, &level, s.Environment)
			limitMemory(log)
			return served(daemon.Run(ctx, daemon.Options{Settings: s, Version: version,
				Log: log, Level: &level, Socket: socket, Diagnostics: c.ErrOrStderr()}))
		},
	}
	settingFlags(c)
	return c
}

func served(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, daemon.ErrManifests):
		return &exitError{code: exitRefused, err: err}
	}
	return &exitError{code: exitEnvError, err: err}
}
