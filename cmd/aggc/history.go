package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/dsl/testrun"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

// seeded prints tests made of a history.
func (f *testFlags) seeded() error {
	sets, results, err := f.compiled()
	if err != nil {
		return err
	}
	if len(sets) != 1 {
		return misused("--seed-from-log needs one set of manifests, and these are %d", len(sets))
	}
	text, err := readInput(f.seed, f.stdin)
	if err != nil {
		return err
	}
	history, err := readHistory(text)
	if err != nil {
		return &exitError{exitFound, fmt.Errorf("%s: %w", f.seed, err)}
	}
	tests, notes, err := testrun.Seed(results[0], history)
	for _, n := range notes {
		fmt.Fprintln(f.stderr, "aggc: left out:", n)
	}
	if err != nil {
		return &exitError{exitFound, err}
	}
	if _, err := f.stdout.Write(tests); err != nil {
		return failed(err)
	}
	if len(tests) == 0 {
		return &exitError{exitFound, fmt.Errorf("%s: no test can be made of it", f.seed)}
	}
	return nil
}

// readHistory reads JSON values one after another, on lines of their own or not: stored messages
// (docs/events.md), single events, or an object that lists them, as `aggd events` prints.
func readHistory(text []byte) ([]testrun.Recorded, error) {
	var out []testrun.Recorded
	d := json.NewDecoder(bytes.NewReader(text))
	for n := 1; ; n++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("value %d: %w", n, err)
		}
		var err error
		if out, err = appendHistory(out, raw); err != nil {
			return nil, fmt.Errorf("value %d: %w", n, err)
		}
	}
}

func appendHistory(out []testrun.Recorded, raw json.RawMessage) ([]testrun.Recorded, error) {
	var head struct {
		Kind   string            `json:"kind"`
		Events []aggregate.Event `json:"events"`
		aggregate.Event
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, err
	}
	switch {
	case head.Kind != "":
		m, err := envelope.Decode(raw)
		if err != nil {
			return nil, err
		}
		for i := range m.Commits {
			out = append(out, recordedCommit(m.Key, &m.Commits[i]))
		}
		return out, nil
	case head.Events != nil:
		for i := range head.Events {
			out = appendEvent(out, &head.Events[i])
		}
		return out, nil
	case head.EventType != "":
		return appendEvent(out, &head.Event), nil
	}
	return nil, errors.New(`neither a stored message ("kind":"commits") nor an event ("event_type")`)
}

func recordedCommit(k aggregate.Key, c *aggregate.Commit) testrun.Recorded {
	r := testrun.Recorded{
		Type: string(k.Type), ID: k.ID.String(), Tenant: string(k.Tenant), CommandID: c.CommandID.String(),
		Command: c.Command, Time: c.Timestamp, Roles: slices.Clone(c.Roles), Meta: maps.Clone(c.Metadata),
	}
	if c.Actor != "" {
		if r.Meta == nil {
			r.Meta = map[string]string{}
		}
		r.Meta["actor"] = c.Actor // as the engine hands it to the rules
	}
	for i := range c.Events {
		e := &c.Events[i]
		r.Events = append(r.Events, testrun.RecordedEvent{Name: e.Type, Version: int64(e.Version), Schema: e.Schema, Payload: e.Payload})
	}
	return r
}

// appendEvent adds an event to the command that made it, which comes right before.
func appendEvent(out []testrun.Recorded, e *aggregate.Event) []testrun.Recorded {
	ev := testrun.RecordedEvent{Name: e.EventType, Version: int64(e.Version), Schema: e.Schema, Payload: e.Payload}
	r := testrun.Recorded{
		Type: string(e.AggregateType), ID: e.AggregateID.String(), Tenant: string(e.TenantID), CommandID: e.CommandID.String(),
		Time: e.Timestamp, Meta: e.Metadata, Events: []testrun.RecordedEvent{ev},
	}
	if n := len(out); n > 0 {
		last := &out[n-1]
		if last.CommandID == r.CommandID && last.ID == r.ID && last.Type == r.Type && last.Tenant == r.Tenant {
			last.Events = append(last.Events, ev)
			return out
		}
	}
	return append(out, r)
}
