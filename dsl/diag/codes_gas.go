package diag

// OutgrowsGas is the compiler's warning of what a long life does to a rule.
const OutgrowsGas Code = "AGG5081"

// gasCodes documents AGG5081; AGG5080 stands with the compiler's limits.
func gasCodes() []Info {
	return []Info{
		{OutgrowsGas, "outgrows its gas", Warning,
			"Occurs when a decide, with its applies and invariants, costs the more gas the longer a list, map, set or text of the state is, events make that longer, and nothing bounds it: one day the command fails with the fault gas. The message tells the length up to which it works. Lengths of 100,000 and more are not warned of.",
			"aggregate A {\n  state { amounts: list<decimal> }\n  command pay { amount: decimal }\n  event paid { amount: decimal }\n  decide pay {\n    require sum(state.amounts) + cmd.amount <= 1_000_000 else too_much\n    emit paid { ..cmd }\n  }\n  apply paid { state.amounts += event.amount }\n}\n"},
	}
}
