package diag

// The codes of the compiler's limits and of manifest sets.
const (
	// RuleTooLarge is reported by the compiler: a uint16 of the bytecode would not do.
	RuleTooLarge Code = "AGG3080"
	// OverGas is the compiler's warning.
	OverGas Code = "AGG5080"
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

// manifestCodes documents the compiler's limits and AGG4xxx. An example of AGG4xxx is a set: an
// archive of files, of which manifests.yaml is the index. RuleTooLarge has none, as it takes
// tens of thousands of lines.
func manifestCodes() []Info {
	const account = "-- bank/account.agg --\naggregate Account { state { n: int } }\n"
	return []Info{
		{RuleTooLarge, "aggregate too large", Error,
			"Occurs when an aggregate needs more slots, instructions or functions than the bytecode can number (65,534 of each).", ""},
		{OverGas, "over its gas in the worst case", Warning,
			"Occurs when a decide, with its applies and invariants, may take more gas than the aggregate allows when the lists, maps and texts that it works on are as large as their bounds let them be. A rule over something without a bound has no worst case: `aggc check --gas` shows which bound would do.",
			"aggregate A {\n  gas 1_000\n  state { xs: list<int, 500>, n: int }\n  command go { n: int }\n  event went { n: int }\n  decide go {\n    require all(x < cmd.n for x in state.xs) else too_small\n    emit went { ..cmd }\n  }\n  apply went { state.n = event.n }\n}\n"},
		{ManifestUnreadable, "file cannot be read", Error,
			"Occurs when a file of the manifest set is there but cannot be read: rights, a directory of that name, a failing disk.", ""},
		{ManifestMissing, "file not found", Error,
			"Occurs when the index names a file that does not exist.",
			"-- manifests.yaml --\naggregates: [{type: Account, manifest: bank/acount.agg}]\n" + account},
		{ManifestEmpty, "no manifest", Error,
			"Occurs when the manifest directory holds neither an index nor any .agg file.",
			"-- readme.txt --\nnothing here\n"},
		{IndexMalformed, "malformed index", Error,
			"Occurs when the index is no YAML or JSON, or lacks what it must have: a list `aggregates` of `type` and `manifest`.",
			"-- manifests.yaml --\naggregates: [{type: Account}]\n"},
		{IndexUnknownKey, "unknown key in the index", Error,
			"Occurs when the index has a key other than `aggregates`, or an entry one other than `type` and `manifest`.",
			"-- manifests.yaml --\naggregates: [{type: Account, manifest: bank/account.agg, file: x}]\n" + account},
		{IndexTypeMissing, "type not in its manifest", Error,
			"Occurs when the file that the index names for a type does not declare that aggregate.",
			"-- manifests.yaml --\naggregates: [{type: Account, manifest: bank/account.agg}, {type: Order, manifest: bank/account.agg}]\n" + account},
		{IndexTypeTwice, "type listed twice", Error,
			"Occurs when the index lists one type more than once.",
			"-- manifests.yaml --\naggregates: [{type: Account, manifest: bank/account.agg}, {type: Account, manifest: bank/account.agg}]\n" + account},
		{IndexTypeUnlisted, "type not listed", Error,
			"Occurs when a file of the set declares an aggregate that the index does not list.",
			"-- manifests.yaml --\naggregates: [{type: Account, manifest: bank/account.agg}]\n" + account + "aggregate Order { state { n: int } }\n"},
		{ManifestPath, "not a path of a manifest", Error,
			"Occurs when the index names something that is no .agg file inside the manifest directory.",
			"-- manifests.yaml --\naggregates: [{type: Account, manifest: ../account.agg}]\n"},
		{ManifestTooLarge, "manifest set too large", Error,
			"Occurs when a set has more than 10,000 files or 64 MiB, or its index more than 1 MiB.", ""},
		{ManifestTwice, "file given twice", Error,
			"Occurs when two sources of one set have the same path.", ""},
	}
}
