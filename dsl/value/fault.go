package value

// Fault is why a rule could not go on: the names authors use in `then fault`.
type Fault uint8

// The faults; NoFault is success.
const (
	NoFault Fault = iota
	Gas
	Overflow
	Inexact
	DivisionByZero
	AbsentKey
	Index
	Range
	NotWhole
	Bound
	Memory
	faultCount
)

var faultNames = [faultCount]string{"", "gas", "overflow", "inexact", "division_by_zero", "absent_key", "index", "range", "not_whole", "bound", "memory"}

// String is the fault's name in the language.
func (f Fault) String() string { return faultNames[f] }

// ParseFault gives the fault of a name.
func ParseFault(name string) (Fault, bool) {
	for i, n := range faultNames {
		if i > 0 && n == name {
			return Fault(i), true
		}
	}
	return NoFault, false
}

// Mode is how a division or rounding ends.
type Mode uint8

// The rounding modes of the language.
const (
	HalfEven Mode = iota
	HalfUp
	HalfDown
	Down
	Up
	Floor
	Ceiling
	modeCount
)

var modeNames = [modeCount]string{"half_even", "half_up", "half_down", "down", "up", "floor", "ceiling"}

// String is the mode's name in the language.
func (m Mode) String() string { return modeNames[m] }

// ParseMode gives the mode of a name.
func ParseMode(name string) (Mode, bool) {
	for i, n := range modeNames {
		if n == name {
			return Mode(i), true
		}
	}
	return 0, false
}
