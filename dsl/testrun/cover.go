package testrun

import (
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/diag"
)

// Kind is what a coverage point is about.
type Kind uint8

// The kinds, in the order of reports.
const (
	Requires   Kind = iota // a require that holds, and one that fails
	Rejections             // a command refused with a code
	Branches               // a way of an if, an arm of a match
	Events                 // an event that is emitted
	Invariants             // an invariant that holds, and one that is violated
	Cells                  // a command sent in a status
	KindCount
)

var kindNames = [KindCount]string{"requires", "rejections", "branches", "events", "invariants", "cells"}

func (k Kind) String() string { return kindNames[k] }

// Coverage is what the tests of a set exercise. Its points are those of the checked tree, so the
// layout of a file does not change it.
type Coverage struct {
	Aggregates []*AggregateCoverage
}

// AggregateCoverage is the part of one aggregate.
type AggregateCoverage struct {
	Name   string
	Points []Point
	// Commands and Statuses span the Cells, which are points too: that of command i in status j
	// is Cell(i, j).
	Commands, Statuses []string
	cells              int // index of the first
}

// Point is one thing that a test can bring about.
type Point struct {
	Kind Kind
	// Key names the point within its aggregate by rule and place in it, such as
	// `decide withdraw/require 2/fails`; it does not depend on lines.
	Key string
	// Missing tells people what has not happened when Hits is 0.
	Missing string
	Place   Place
	Hits    int64
	span    diag.Span
}

// Cell is the point of a command in a status.
func (a *AggregateCoverage) Cell(command, status int) *Point {
	return &a.Points[a.cells+command*len(a.Statuses)+status]
}

// Tally counts points.
type Tally struct{ Covered, All int }

// Percent is the figure; of nothing it is 100.
func (t Tally) Percent() float64 {
	if t.All == 0 {
		return 100
	}
	return 100 * float64(t.Covered) / float64(t.All)
}

// Below tells whether the figure is below a threshold in percent. Nothing is rounded: 89.99 is
// below 90.
func (t Tally) Below(threshold float64) bool {
	return float64(t.Covered)*100 < threshold*float64(t.All)
}

func (t *Tally) add(hits int64) {
	t.All++
	if hits > 0 {
		t.Covered++
	}
}

// Tally counts the points of each kind, and all.
func (a *AggregateCoverage) Tally() (kinds [KindCount]Tally, all Tally) {
	for i := range a.Points {
		p := &a.Points[i]
		kinds[p.Kind].add(p.Hits)
		all.add(p.Hits)
	}
	return kinds, all
}

// Tally counts the points of all aggregates.
func (c *Coverage) Tally() (kinds [KindCount]Tally, all Tally) {
	for _, a := range c.Aggregates {
		k, n := a.Tally()
		for i := range k {
			kinds[i].Covered += k[i].Covered
			kinds[i].All += k[i].All
		}
		all.Covered += n.Covered
		all.All += n.All
	}
	return kinds, all
}

// Add takes up the coverage of another set.
func (c *Coverage) Add(other *Coverage) {
	if other != nil {
		c.Aggregates = append(c.Aggregates, other.Aggregates...)
	}
}

// unborn is the status of an aggregate without events, whole that of one whose state has no enum.
const (
	unborn = "unborn"
	whole  = "any state"
)

// hasBirth tells whether some command creates the aggregate.
func hasBirth(a *check.Aggregate) bool {
	for _, c := range a.Commands {
		if c.Creates {
			return true
		}
	}
	return false
}
