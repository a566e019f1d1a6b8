package compile

import (
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/check"
)

// AggregateInline is Aggregate with one size for all that is lowered in place.
func AggregateInline(a *check.Aggregate, tests []*check.Test, size int) (*bytecode.Program, *TestPlan, error) {
	return newCompiler(a, limits{size, size, size, size}).compile(tests)
}
