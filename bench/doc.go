// Package bench measures the rule VM beside what one would otherwise take, on one piece of work:
// the withdraw of a bank account.
//
// The model: a [Contender] is one way to run that rule. It opens an [Account], alive in the form
// that its engine computes on natively, and withdraws from it; a test makes sure that every
// contender decides alike before any is timed. An [Edge] is one way from JSON to JSON. Timings are
// taken in rounds in which the baseline and the contender take turns, on the clock of the process
// and not of the wall, so that a ratio holds on a busy machine too. [HardCases] asks every engine
// for the answers that most get wrong in silence.
//
// The package is a module of its own: the peers are no dependencies of the product.
package bench
