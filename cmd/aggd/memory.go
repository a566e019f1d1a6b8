package main

import (
	"log/slog"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// memoryShare is how much of the memory of the machine or the container the heap may take before
// the collector works harder.
const memoryShare = 0.8

// limitMemory tells the collector how much memory there is, unless GOMEMLIMIT says so. Without it the
// heap grows to twice what lives, and what lives is for a moment all of the log that loads have read:
// the server reads blocks of 8 MB. A container would be killed over what the collector can give back.
func limitMemory(log *slog.Logger) {
	_, err := memlimit.SetGoMemLimitWithOpts(memlimit.WithRatio(memoryShare),
		memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)))
	if err != nil {
		log.Warn("it cannot be told how much memory there is: the heap has no limit", "error", err)
	}
}
