package testrun

import "github.com/cloudlysis/aggregate/dsl"

// RunMarked runs the tests as Run does, but on the marked programs of Cover.
func RunMarked(res *dsl.Result) (*Report, error) {
	opt := &CoverOptions{Options: Options{FileName: func(s string) string { return s }}}
	c := &coverer{opt: opt, out: &Coverage{}, sets: map[string]*coveredSet{}}
	for _, p := range res.Programs {
		if err := c.compile(p); err != nil {
			return nil, err
		}
	}
	jobs, results := plan(res, &opt.Options)
	for i := range jobs {
		s := c.sets[jobs[i].test.Source.Of.Name]
		j := job{set: s.loaded, test: s.cases[jobs[i].test.Source], row: jobs[i].row}
		j.run(&results[i], &opt.Options, nil)
	}
	return &Report{Results: results}, nil
}
