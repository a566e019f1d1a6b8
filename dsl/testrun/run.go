package testrun

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// Options of Run.
type Options struct {
	// Run, if not nil, picks the tests whose "Aggregate/title" or "Aggregate/name" it matches.
	Run *regexp.Regexp
	// FileName makes the name under which people see a file of the set; nil leaves names alone.
	FileName func(string) string
	// Workers is how many tests run at once; 0 is GOMAXPROCS.
	Workers int
}

// Run runs the tests of a set that was compiled with dsl.Options.Tests and is OK. The report is
// the same whatever the number of workers.
func Run(res *dsl.Result, opt Options) *Report {
	began := time.Now()
	if opt.FileName == nil {
		opt.FileName = func(name string) string { return name }
	}
	jobs, results := plan(res, &opt)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(opt.workers(), len(jobs)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(jobs); i = int(next.Add(1)) - 1 {
				jobs[i].run(&results[i], &opt, nil)
			}
		})
	}
	wg.Wait()
	return &Report{Results: results, Elapsed: time.Since(began)}
}

func (o *Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// job is one test or one row.
type job struct {
	set  *loaded
	test *compile.TestCase
	row  []value.V
}

// loaded is a program that is ready to run, or why it is not.
type loaded struct {
	prog *vm.Program
	err  error
}

// plan makes the jobs and, beside them, the heads of their results.
func plan(res *dsl.Result, opt *Options) ([]job, []Result) {
	if !res.OK {
		return nil, nil
	}
	cases := map[*check.Test]job{}
	for _, p := range res.Programs {
		if p.Plan == nil {
			continue
		}
		l := load(p.Program)
		for i := range p.Plan.Tests {
			tc := &p.Plan.Tests[i]
			cases[tc.Source] = job{set: l, test: tc}
		}
	}
	var jobs []job
	var results []Result
	for _, t := range res.Set.Tests {
		j, ok := cases[t]
		if !ok {
			continue
		}
		rows := t.Rows
		if len(t.Columns) == 0 {
			rows = [][]value.V{nil}
		}
		for i, row := range rows {
			if r := head(t, i, row, opt); opt.picks(&r) {
				j.row = row
				jobs, results = append(jobs, j), append(results, r)
			}
		}
	}
	return jobs, results
}

func load(p *bytecode.Program) *loaded {
	prog, err := vm.Load(p)
	return &loaded{prog, err}
}

func (o *Options) picks(r *Result) bool {
	return o.Run == nil || o.Run.MatchString(r.Aggregate+"/"+r.Title) || o.Run.MatchString(r.Aggregate+"/"+r.Name)
}

// head is the result of a row before it runs.
func head(t *check.Test, i int, row []value.V, opt *Options) Result {
	r := Result{Aggregate: t.Of.Name, Name: t.Name, Title: t.Name, Place: opt.place(t.Span)}
	if row == nil {
		return r
	}
	pairs := make([]string, 0, 2*len(row))
	for c, col := range t.Columns {
		pairs = append(pairs, "{"+col.Name+"}", plain(col.Type, row[c]))
	}
	r.Row = i + 1
	r.Title = fmt.Sprintf("%s [%d]", strings.NewReplacer(pairs...).Replace(t.Name), r.Row)
	return r
}

// plain is a value as interpolation shows it; containers and records as JSON.
func plain(t *value.Type, v value.V) string { return string(value.AppendText(nil, t, v)) }

func (o *Options) place(s diag.Span) Place {
	p := s.StartPosition()
	return Place{o.FileName(p.File), p.Line, p.Column}
}

// run runs the job. With rec it does not judge but record.
func (j *job) run(res *Result, opt *Options, rec *recorder) {
	if j.set.err != nil {
		res.Failures = []Failure{{Place: res.Place, Step: "load", Want: "a program that verifies", Got: j.set.err.Error()}}
		return
	}
	m := j.set.prog.Get()
	defer j.set.prog.Put(m)
	r := newRunner(j.set.prog, m, res, opt)
	r.rec = rec
	for i, slot := range j.test.Columns {
		m.SetSlot(slot, j.row[i])
	}
	if r.steps(j.test.Steps) {
		r.settle()
	}
}
