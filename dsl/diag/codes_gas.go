package diag

const (
	// OutgrowsGas is the compiler's warning of what a long life does to a rule.
	OutgrowsGas Code = "AGG5081"
	// UnusedIgnore can be told only when all that warns has run.
	UnusedIgnore Code = "AGG5082"
)

// gasCodes documents AGG5081 and AGG5082; AGG5080 stands with the compiler's limits.
func gasCodes() []Info {
	return []Info{
		{OutgrowsGas, "outgrows its gas", Warning,
			"Occurs when a decide, with its applies and invariants, costs the more gas the longer a list, map, set or text of the state is, events make that longer, and nothing bounds it: one day the command fails with the fault gas. The message tells the length up to which it works. Lengths of 100,000 and more are not warned of.",
			"aggregate A {\n  state { amounts: list<decimal> }\n  command pay { amount: decimal }\n  event paid { amount: decimal }\n  decide pay {\n    require sum(state.amounts) + cmd.amount <= 1_000_000 else too_much\n    emit paid { ..cmd }\n  }\n  apply paid { state.amounts += event.amount }\n}\n"},
		{UnusedIgnore, "ignore that is not needed", Warning,
			"Occurs when a comment `// agg:ignore AGG5003 reason` stands where there is no such warning, or no more: left there, it would hide the next one.",
			"aggregate A {\n  state {}\n  // agg:ignore AGG5001 read by the reports\n  command c {}\n  event e {}\n  decide c { emit e {} }\n  apply e {}\n}\n"},
	}
}
