package diag

// The codes of the compiler's limits and of manifest sets.
const (
	// RuleTooLarge is reported by the compiler: a uint16 of the bytecode would not do.
	RuleTooLarge Code = "AGG3080"
	// The codes of manifest sets: directories and indexes.
	ManifestUnreadable Code = "AGG4001"
	ManifestMissing    Code = "AGG4002"
	ManifestEmpty      Code = "AGG4003"
	IndexMalformed     Code = "AGG4004"
	IndexUnknownKey    Code = "AGG4005"
	IndexTypeMissing   Code = "AGG4006"
	IndexTypeTwice     Code = "AGG4007"
	IndexTypeUnlisted  Code = "AGG4008"
	ManifestPath       Code = "AGG4009"
	ManifestTooLarge   Code = "AGG4010"
	ManifestTwice      Code = "AGG4011"
)
