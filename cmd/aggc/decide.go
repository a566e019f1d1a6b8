package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloudlysis/aggregate/dsl/testrun"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// decideFlags are the arguments of `aggc decide`.
type decideFlags struct {
	path, typ           string
	state, command      string // files
	now                 string
	commandID, id       string
	tenant              string
	meta, roles         []string
	version             int64
	given               bool // the version
	stdin               io.Reader
	stdout, diagnostics io.Writer
}

func decideCommand() *cobra.Command {
	f := &decideFlags{}
	c := &cobra.Command{
		Use:   "decide FILE --command CMD.json",
		Short: "Decide one command on one state",
		Long: "Decide one command, without a daemon and without storing anything, and print one JSON object:\n\n" +
			"  {\"events\":[{\"event_type\":…,\"payload\":…}],\"state\":{…},\"derived\":{…},\"gas\":N}\n" +
			"  {\"rejected\":{\"code\":…,\"message\":…}}            exit code 1\n" +
			"  {\"invalid\":{\"path\":…,\"message\":…,\"errors\":[…]}}  exit code 1; errors if there are several\n" +
			"  {\"fault\":{\"kind\":…,\"rule\":…,\"line\":…}}         exit code 1\n\n" +
			"FILE is a .agg file, a directory, an index or a file of `aggc build`. The command carries its\n" +
			"\"type\". Without --state the aggregate is unborn and has version 0; a state may leave fields out\n" +
			"and has version 1 unless --version says. The same arguments give the same answer: what is not\n" +
			"said about time and identity is as in a test, such as 2000-01-01T00:00:00Z.",
		Example: "  aggc decide examples/bank --command deposit.json --state state.json\n" +
			"  echo '{\"type\":\"open_account\"}' | aggc decide examples/bank/account.agg --type Account --command -",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			f.path, f.given = args[0], c.Flags().Changed("version")
			f.stdin, f.stdout, f.diagnostics = c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr()
			return decide(f)
		},
	}
	c.Flags().StringVar(&f.typ, "type", "", "the aggregate; needed when FILE declares several")
	c.Flags().StringVar(&f.state, "state", "", "file with the state as JSON; - is standard input")
	c.Flags().StringVar(&f.command, "command", "", "file with the command as JSON; - is standard input")
	c.Flags().StringVar(&f.now, "now", "", "ctx.now, as 2026-01-31T12:00:00Z")
	c.Flags().StringVar(&f.commandID, "command-id", "", "ctx.command_id, a UUID")
	c.Flags().StringVar(&f.id, "aggregate-id", "", "ctx.aggregate_id, a UUID")
	c.Flags().StringVar(&f.tenant, "tenant", "", "ctx.tenant")
	c.Flags().StringArrayVar(&f.meta, "meta", nil, "name=value for ctx.meta; may be repeated")
	c.Flags().StringSliceVar(&f.roles, "roles", nil, "ctx.roles, with commas")
	c.Flags().Int64Var(&f.version, "version", 0, "ctx.version: how many events there are")
	return c
}

func decide(f *decideFlags) error {
	switch {
	case f.command == "":
		return misused("say which command, --command CMD.json")
	case f.command == "-" && f.state == "-":
		return misused("only one of --command and --state can be standard input")
	case f.given && f.version < 0:
		return misused("--version is not below 0")
	}
	ctx, err := f.ctx()
	if err != nil {
		return err
	}
	list, err := readPrograms(f.path, f.diagnostics)
	if err != nil {
		return err
	}
	code, err := pick(list, f.typ)
	if err != nil {
		return err
	}
	p, err := vm.Load(code)
	if err != nil {
		return &exitError{exitFound, fmt.Errorf("%s: %w", f.path, err)}
	}
	command, err := readInput(f.command, f.stdin)
	if err != nil {
		return err
	}
	var stateText []byte
	if f.state != "" {
		if stateText, err = readInput(f.state, f.stdin); err != nil {
			return err
		}
	}
	d := decision{p: p, m: p.Get(), stderr: f.diagnostics}
	defer p.Put(d.m)
	answer, ok := d.answer(stateText, f.state != "", command, ctx)
	if _, err := f.stdout.Write(append(answer, '\n')); err != nil {
		return failed(err)
	}
	if !ok {
		return found()
	}
	return nil
}

// ctx is what the flags say the rules see; the rest is as in a test.
func (f *decideFlags) ctx() (*vm.Ctx, error) {
	c := &vm.Ctx{Tenant: value.MakeString(f.tenant)}
	c.Now, _ = value.TimeOf(testrun.DefaultNow)
	if f.now != "" {
		now, ok := value.ParseTime(f.now)
		if !ok {
			return nil, misused("--now %q is no time, such as 2026-01-31T12:00:00Z", f.now)
		}
		c.Now = now
	}
	var err error
	if c.CommandID, err = uuidFlag("command-id", f.commandID, testrun.CommandID(1)); err != nil {
		return nil, err
	}
	if c.AggregateID, err = uuidFlag("aggregate-id", f.id, testrun.DefaultID); err != nil {
		return nil, err
	}
	version := f.version
	if !f.given && f.state != "" {
		version = 1
	}
	c.Version = value.MakeInt(version)
	roles := value.NewBuilder(&value.Type{Kind: value.Set, Elem: value.StringType}, len(f.roles))
	for _, r := range f.roles {
		roles.Add(value.MakeString(r))
	}
	c.Roles = roles.Done()
	c.Meta, err = metaFlag(f.meta)
	return c, err
}

func uuidFlag(name, text string, otherwise [16]byte) (value.V, error) {
	if text == "" {
		return value.MakeUUID(otherwise), nil
	}
	id, ok := value.ParseUUID(text)
	if !ok {
		return value.V{}, misused("--%s %q is no UUID", name, text)
	}
	return value.MakeUUID(id), nil
}

func metaFlag(pairs []string) (value.V, error) {
	b := value.NewBuilder(&value.Type{Kind: value.Map, Key: value.StringType, Elem: value.StringType}, len(pairs))
	for _, p := range pairs {
		k, v, ok := strings.Cut(p, "=")
		if !ok || k == "" {
			return value.V{}, misused("--meta %q is not name=value", p)
		}
		b.Put(value.MakeString(k), value.MakeString(v))
	}
	return b.Done(), nil
}
