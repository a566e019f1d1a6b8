package main

import (
	"io"

	"github.com/spf13/cobra"

	tree "github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/report"
)

func schemaCommand() *cobra.Command {
	f := &reportFlags{}
	c := &cobra.Command{
		Use:   "schema [PATH]",
		Short: "Describe commands, events and states as schemas and types",
		Long: "Write the data of a set for programs:\n\n" +
			"  json-schema   commands, events (old versions too), states, derived values; draft 2020-12\n" +
			"  openapi       the REST door for these aggregates; OpenAPI 3.1\n" +
			"  asyncapi      the stored events on their subjects; AsyncAPI 3.0\n" +
			"  typescript    the same as types\n\n" +
			"A schema may allow a payload that the command then refuses, never the other way round: what a\n" +
			"`where` says beyond JSON Schema stands in x-agg-where.",
		Example: "  aggc schema examples/bank > bank.schema.json\n  aggc schema examples/bank --format openapi -o openapi.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return schema(f, args, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f.add(c, "json-schema", "json-schema, openapi, asyncapi or typescript")
	return c
}

func schema(f *reportFlags, args []string, stdout, stderr io.Writer) error {
	write := map[string]func(io.Writer, *tree.Set, report.SchemaInfo) error{
		"json-schema": report.JSONSchema, "openapi": report.OpenAPI, "asyncapi": report.AsyncAPI, "typescript": report.TypeScript,
	}[f.format]
	if write == nil {
		return misused("unknown format %q: json-schema, openapi, asyncapi or typescript", f.format)
	}
	m, err := f.readManifest(args, stderr)
	if err != nil {
		return err
	}
	info := report.SchemaInfo{Title: m.title, Version: m.hash}
	return f.write(stdout, func(w io.Writer) error { return write(w, m.set, info) })
}
