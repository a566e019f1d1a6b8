package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate"
)

// Simulation is what a command would do to an aggregate as it now stands.
type Simulation struct {
	Version aggregate.Version // of the aggregate after the command, or as it stands if refused
	Events  []aggregate.Event
	Refused error // a RejectedError or FaultError; nil when the command would be accepted
	// State and Derived are those after the command; of a refused one, those before it.
	State, Derived json.RawMessage
	Gas            int64
	Trace          []Step // the lines of the rules in the order in which they ran
}

// Step is one line of a rule.
type Step struct {
	Rule string // such as decide withdraw
	File string
	Line int
	Gas  int64 // used when the line was left
}

// verbSimulate stands behind the id in a path: …/{id}:simulate.
const verbSimulate = ":simulate"

// simulate answers 200 whether or not the command would be accepted: the simulation took place.
func (r *rest) simulate(w http.ResponseWriter, req *http.Request) {
	id, ok := strings.CutSuffix(req.PathValue("id"), verbSimulate)
	if !ok {
		r.nothing(w, req)
		return
	}
	req.SetPathValue("id", id)
	cmd, err := r.command(w, req)
	if err != nil {
		writeProblem(w, err, cmd.CommandID)
		return
	}
	s, err := r.cmds.Simulate(req.Context(), cmd)
	if err != nil {
		writeProblem(w, err, cmd.CommandID)
		return
	}
	content := contentJSON
	if wantsStrings(httpHeaders(req.Header)) {
		s, content = simulationWithStrings(s), contentStrings
	}
	writeJSON(w, content, appendSimulation(nil, cmd, s))
}

func appendSimulation(b []byte, cmd *aggregate.Command, s *Simulation) []byte {
	b = appendAddress(b, cmd.TenantID, cmd.AggregateType, cmd.AggregateID)
	b = appendID(append(b, `,"command_id":`...), cmd.CommandID)
	b = strconv.AppendUint(append(b, `,"version":`...), uint64(s.Version), 10)
	b = strconv.AppendBool(append(b, `,"accepted":`...), s.Refused == nil)
	if s.Refused != nil {
		p := ProblemOf(s.Refused)
		b = append(append(b, `,"problem":`...), problemBody(&p, cmd.CommandID)...)
	}
	b = append(b, `,"events":[`...)
	for i := range s.Events {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEvent(b, &s.Events[i])
	}
	b = append(append(b, `],"state":`...), s.State...)
	b = append(append(b, `,"derived":`...), s.Derived...)
	b = strconv.AppendInt(append(b, `,"gas":`...), s.Gas, 10)
	return append(appendTrace(b, s.Trace), '}')
}

func appendTrace(b []byte, trace []Step) []byte {
	b = append(b, `,"trace":[`...)
	for i := range trace {
		t := &trace[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"rule":`...), t.Rule)
		b = appendString(append(b, `,"file":`...), t.File)
		b = strconv.AppendInt(append(b, `,"line":`...), int64(t.Line), 10)
		b = strconv.AppendInt(append(b, `,"gas":`...), t.Gas, 10)
		b = append(b, '}')
	}
	return append(b, ']')
}
