// Package testrun runs the tests of a compiled set: `aggc test`.
//
// The model: a [Result] is one test, or one row of one with `cases`. Each runs by itself on a
// machine that it borrows from its aggregate's program, so tests run in parallel and in any
// order; the [Report] lists them as the files do. A `given` event and a `when` command go in as
// the JSON that the daemon would read, through the same decoder and the same checks.
//
// A [runner] takes the steps in order. The `then`s of a command are judged one by one; when one
// of them fails, the others of the same command are still judged where that tells something
// new, and the test ends before its next command, whose state would be a guess.
//
// Coverage ([Cover]) runs the tests once more on rules that carry marks: nodes of the checked tree
// without a meaning, which a traced machine shows as they go by. The compiler and the machine
// know nothing of it, so it costs nothing unless asked for, and results are those of the plain
// rules. [Skeletons] and [Seed] write tests, from what none asks for and from a history.
//
// Nothing else is compiled here: expressions of tests are chunks of the program (see
// compile.TestPlan), so 10,000 tests take a fraction of a second.
package testrun
