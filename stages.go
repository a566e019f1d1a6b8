package aggregate

import "time"

// Stage is a part of a command's way through the engine.
type Stage uint8

// The stages, in their order. What does not happen to a command takes no time; one that was
// decided again after a conflict has in StageQueue all that came before its last decision.
const (
	StageQueue  Stage = iota // until its flight was decided, without StageLoad
	StageLoad                // snapshot and replay, if the aggregate was not live
	StageDecide              // of the whole flight that it travelled in
	StageAppend              // until the log had the flight, or had said that there is nothing newer
	StageSync                // from there until it was as durable as configured
	StageReply               // from there until the caller had the answer
	StageCount
)

// String is the stage's name in metrics and traces.
func (s Stage) String() string {
	return [...]string{"queue", "load", "decide", "append", "sync", "reply"}[s]
}

// Stages are how long a command spent where.
type Stages [StageCount]time.Duration
