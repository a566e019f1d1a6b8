package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/internal/daemon"
	"github.com/cloudlysis/aggregate/internal/telemetry"
)

func verifyCommand() *cobra.Command {
	var (
		sample int
		format string
	)
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check the whole log against itself, the manifests and the snapshots; exit 1 on damage",
		Long: "Read every message of the log. For each aggregate: versions without gaps, the chain of hashes, one commit a command\n" +
			"with the hash of what was sent, every event one that the manifests of DIR declare, and the snapshot equal to what a\n" +
			"replay from the first event makes: state, place, command ids.\n" +
			"With the embedded server aggd must not be running on the same --data.",
		Example: "  aggd verify examples/bank --data ./data\n  aggd verify examples/bank --nats nats://nats.example:4222 --sample 1000",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := textOrJSON(format); err != nil {
				return err
			}
			s, _, err := settings(c, args)
			if err == nil {
				err = s.Validate()
			}
			if err != nil {
				return err
			}
			var level telemetry.Level
			_ = level.Set("error")
			v, err := daemon.Verify(c.Context(), daemon.VerifyOptions{Settings: s, Version: version, Sample: sample, Diagnostics: c.ErrOrStderr(),
				Log: telemetry.NewLogger(c.ErrOrStderr(), &level, s.Environment)})
			if err != nil {
				return served(err)
			}
			if err := printVerified(c.OutOrStdout(), v, format); err != nil {
				return err
			}
			if len(v.Damage) > 0 {
				return &exitError{code: exitRefused, err: errors.New("the log is damaged"), quiet: true}
			}
			return nil
		},
	}
	settingFlags(c)
	c.Flags().IntVar(&sample, "sample", 0, "replay this many aggregates, chosen at random; 0: all")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	return c
}

func printVerified(w io.Writer, v daemon.Verified, format string) error {
	if format == "json" {
		if v.Damage == nil {
			v.Damage = []daemon.Damage{}
		}
		return json.NewEncoder(w).Encode(v)
	}
	for _, d := range v.Damage {
		fmt.Fprintf(w, "DAMAGE %s", d.What)
		if d.Aggregate != "" {
			fmt.Fprintf(w, " %s", d.Aggregate)
		}
		if d.Sequence > 0 {
			fmt.Fprintf(w, " at sequence %d", d.Sequence)
		}
		fmt.Fprintf(w, ": %s\n", d.Message)
	}
	_, err := fmt.Fprintf(w, "%d messages, %d commits, %d events, %d aggregates; %d replayed, %d snapshots compared, %d of other rules; damage: %d\n",
		v.Messages, v.Commits, v.Events, v.Aggregates, v.Replayed, v.Snapshots, v.Stale, len(v.Damage))
	return err
}
