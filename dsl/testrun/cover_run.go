package testrun

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/check"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/diag"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// CoverOptions of Cover.
type CoverOptions struct {
	Options
	// Status gives the state field whose members are the statuses of an aggregate, -1 for none;
	// nil is none for all. It is report.StatusField where `aggc matrix` shall agree.
	Status func(*check.Aggregate) int
}

// Cover runs the tests of a set once more, with marked rules and without judging what comes of
// it, and tells what they exercise. What counts is what commands and given events run, not the
// conditions of `then`. The trees of res are changed while it runs and are then as before, so
// nothing else may use them meanwhile.
func Cover(res *dsl.Result, opt CoverOptions) (*Coverage, error) {
	if !res.OK {
		return &Coverage{}, nil
	}
	if opt.FileName == nil {
		opt.FileName = func(name string) string { return name }
	}
	c := &coverer{opt: &opt, out: &Coverage{}, sets: map[string]*coveredSet{}}
	for _, p := range res.Programs {
		if err := c.compile(p); err != nil {
			return nil, err
		}
	}
	jobs, _ := plan(res, &opt.Options)
	c.run(jobs)
	c.finish()
	return c.out, nil
}

type coverer struct {
	opt    *CoverOptions
	out    *Coverage
	sets   map[string]*coveredSet // by aggregate
	points int
}

// coveredSet is one aggregate with its marked program and the numbers of the points that need no
// marks.
type coveredSet struct {
	agg     *check.Aggregate
	cover   *AggregateCoverage
	first   int // number of its first point
	loaded  *loaded
	cases   map[*check.Test]*compile.TestCase
	rejects []map[string]int // of each command, by code
	events  []int            // of each event, -1 unless current
	cell    int              // of the first cell
	field   int              // whose members are the statuses, or -1
	births  int              // 1 if there is a status for the unborn
}

// compile marks the rules of p, compiles them with the tests and puts them back.
func (c *coverer) compile(p *dsl.Program) error {
	s := &coveredSet{agg: p.Aggregate, cover: &AggregateCoverage{Name: p.Name}, first: c.points, field: -1}
	in := &instrumenter{file: &diag.File{}, agg: s.cover, first: c.points}
	defer in.restore()
	in.instrument(p.Aggregate)
	c.plain(s, in)
	c.points += len(s.cover.Points)
	in.seal(c.points)
	prog, tests, err := compile.Aggregate(p.Aggregate, p.Tests)
	if err != nil {
		return err
	}
	s.loaded, s.cases = load(prog), map[*check.Test]*compile.TestCase{}
	if tests != nil {
		for i := range tests.Tests {
			s.cases[tests.Tests[i].Source] = &tests.Tests[i]
		}
	}
	c.sets[p.Name] = s
	c.out.Aggregates = append(c.out.Aggregates, s.cover)
	return s.loaded.err
}

// plain adds the points that are seen from outside: rejections, events, cells.
func (c *coverer) plain(s *coveredSet, in *instrumenter) {
	a := s.agg
	add := func(k Kind, key, missing string, at diag.Span) int {
		in.point(k, key, missing, at)
		return s.first + len(s.cover.Points) - 1
	}
	common := map[string]int{}
	in.begin("aggregate")
	for _, r := range commonRefusals(a) {
		common[r.code] = add(Rejections, "reject "+r.code, "no command is ever refused "+r.code, r.at)
	}
	for _, cmd := range a.Commands {
		in.begin("command " + cmd.Name)
		codes := maps.Clone(common)
		for _, r := range refusals(cmd) {
			codes[r.code] = add(Rejections, "reject "+r.code, cmd.Name+" is never refused "+r.code, r.at)
		}
		s.rejects = append(s.rejects, codes)
	}
	for _, e := range a.Events {
		s.events = append(s.events, -1)
		if e.Current {
			in.begin("event " + e.Name)
			s.events[len(s.events)-1] = add(Events, "emitted", e.Name+" is never emitted", e.Span)
		}
	}
	c.statuses(s)
	s.cover.cells = len(s.cover.Points)
	s.cell = s.first + s.cover.cells
	for _, cmd := range a.Commands {
		in.begin("command " + cmd.Name)
		s.cover.Commands = append(s.cover.Commands, cmd.Name)
		for _, status := range s.cover.Statuses {
			add(Cells, "in "+status, cmd.Name+" is never sent in "+status, cmd.Span)
		}
	}
}

func (c *coverer) statuses(s *coveredSet) {
	if hasBirth(s.agg) {
		s.births, s.cover.Statuses = 1, []string{unborn}
	}
	if c.opt.Status != nil {
		s.field = c.opt.Status(s.agg)
	}
	if s.field < 0 {
		s.cover.Statuses = append(s.cover.Statuses, whole)
		return
	}
	for _, m := range s.agg.State[s.field].Type.Enum.Members {
		s.cover.Statuses = append(s.cover.Statuses, m.Name)
	}
}

// run runs the jobs on the marked programs. Each worker counts for itself.
func (c *coverer) run(jobs []job) {
	var next atomic.Int64
	var wg sync.WaitGroup
	hits := make([][]int64, min(c.opt.workers(), len(jobs)))
	for w := range hits {
		hits[w] = make([]int64, c.points)
		wg.Go(func() {
			rec := newRecorder(hits[w])
			for i := int(next.Add(1)) - 1; i < len(jobs); i = int(next.Add(1)) - 1 {
				s := c.sets[jobs[i].test.Source.Of.Name]
				rec.set = s
				j := job{set: s.loaded, test: s.cases[jobs[i].test.Source], row: jobs[i].row}
				j.run(&Result{}, &c.opt.Options, rec)
			}
		})
	}
	wg.Wait()
	for _, h := range hits {
		for _, s := range c.sets {
			for i := range s.cover.Points {
				s.cover.Points[i].Hits += h[s.first+i]
			}
		}
	}
}

// finish gives the points their places.
func (c *coverer) finish() {
	for _, a := range c.out.Aggregates {
		for i := range a.Points {
			a.Points[i].Place = c.opt.place(a.Points[i].span)
		}
	}
}

// recorder counts what one worker sees.
type recorder struct {
	hits []int64
	set  *coveredSet
	see  func(vm.Step)
}

func newRecorder(hits []int64) *recorder {
	r := &recorder{hits: hits}
	r.see = func(s vm.Step) {
		// Marks are moves; what the compiler adds beside one has its place too.
		if s.File == markFile && strings.HasPrefix(s.Op, "move") {
			r.hits[s.Line-1]++
		}
	}
	return r
}

// gas is what a marked program may use where the plain one may use limit: a mark is cheaper than
// the statement or the choice that it stands at.
func (r *recorder) gas(limit int64) int64 {
	if limit < 0 || limit > 1<<60 {
		return limit
	}
	return 3*limit + 1_000
}

// sent counts a valid command in the status that it finds.
func (r *recorder) sent(cmd int, state []value.V, born bool) {
	s := r.set
	status := 0
	if born || s.births == 0 {
		status = s.births
		if s.field >= 0 {
			status += int(state[s.field].Int())
		}
	}
	r.hits[s.cell+cmd*len(s.cover.Statuses)+status]++
}

// ended counts how a command ended.
func (r *recorder) ended(cmd int, m *vm.Machine, out *vm.Outcome) {
	switch out.Kind {
	case vm.Rejected:
		if n, ok := r.set.rejects[cmd][out.Code]; ok {
			r.hits[n]++
		}
	case vm.Accepted:
		for i := range m.Events() {
			decl, _ := m.Event(i)
			if n := r.set.events[decl]; n >= 0 {
				r.hits[n]++
			}
		}
	}
}
