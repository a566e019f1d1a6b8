package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func configCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "config [DIR]", Short: "Print every setting and where it came from", Args: cobra.MaximumNArgs(1),
		Example: "  aggd config examples/bank\n  AGGREGATE_SYNC=always aggd config --format json",
		RunE: func(c *cobra.Command, args []string) error {
			if err := textOrJSON(format); err != nil {
				return err
			}
			_, values, err := settings(c, args)
			if err != nil {
				return err
			}
			if format == "json" {
				type row struct {
					Key    string `json:"key"`
					Value  string `json:"value"`
					Origin string `json:"origin"`
				}
				rows := make([]row, len(values))
				for i, v := range values {
					rows[i] = row{v.Key, v.Shown(), v.Origin}
				}
				return json.NewEncoder(c.OutOrStdout()).Encode(rows)
			}
			for _, v := range values {
				fmt.Fprintf(c.OutOrStdout(), "%-20s %-24q %s\n", v.Key, v.Shown(), v.Origin)
			}
			return nil
		},
	}
	settingFlags(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	c.AddCommand(&cobra.Command{
		Use: "check [DIR]", Short: "Check the settings; exit 1 if something is wrong", Args: cobra.MaximumNArgs(1),
		Example: "  aggd config check examples/bank",
		RunE: func(c *cobra.Command, args []string) error {
			s, _, err := settings(c, args)
			if err == nil {
				err = s.Validate()
			}
			if err != nil {
				return &exitError{code: exitRefused, err: err}
			}
			fmt.Fprintln(c.OutOrStdout(), "ok")
			return nil
		},
	})
	settingFlags(c.Commands()[0])
	return c
}
