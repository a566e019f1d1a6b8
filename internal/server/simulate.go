package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate"
	pb "github.com/cloudlysis/aggregate/gen/aggregate/v1"
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

// SimulateCommand implements pb.CommandServiceServer.
func (g *grpcCommands) SimulateCommand(ctx context.Context, req *pb.SimulateCommandRequest) (*pb.SimulateCommandResponse, error) {
	r, command, err := g.simulate(ctx, req, incoming(ctx))
	if err != nil {
		return nil, statusOf(err, command)
	}
	return r, nil
}

// SimulateCommand implements aggregatev1connect.CommandServiceHandler.
func (c *connectCommands) SimulateCommand(ctx context.Context, req *pb.SimulateCommandRequest) (*pb.SimulateCommandResponse, error) {
	r, command, err := c.g.simulate(ctx, req, requestHeaders(ctx))
	if err != nil {
		return nil, connectError(err, command)
	}
	return r, nil
}

// simulate gives the command id too, for the error.
func (g *grpcCommands) simulate(ctx context.Context, req *pb.SimulateCommandRequest, h headers) (*pb.SimulateCommandResponse, aggregate.ID, error) {
	cmd, err := g.command(ctx, req.GetCommand(), h)
	if err != nil {
		return nil, cmd.CommandID, err
	}
	s, err := g.cmds.Simulate(ctx, cmd)
	if err != nil {
		return nil, cmd.CommandID, err
	}
	if req.GetCommand().GetNumbersAsStrings() {
		s = simulationWithStrings(s)
	}
	return simulationMessage(cmd, s), cmd.CommandID, nil
}

func simulationMessage(cmd *aggregate.Command, s *Simulation) *pb.SimulateCommandResponse {
	m := &pb.SimulateCommandResponse{
		TenantId: string(cmd.TenantID), AggregateType: string(cmd.AggregateType), AggregateId: cmd.AggregateID.String(), CommandId: cmd.CommandID.String(),
		Version: uint64(s.Version), Accepted: s.Refused == nil, StateJson: string(s.State), DerivedJson: string(s.Derived), Gas: s.Gas,
	}
	if s.Refused != nil {
		m.Problem = problemMessage(s.Refused, cmd.CommandID)
	}
	for i := range s.Events {
		m.Events = append(m.Events, eventMessage(&s.Events[i]))
	}
	for i := range s.Trace {
		t := &s.Trace[i]
		m.Trace = append(m.Trace, &pb.TraceStep{Rule: t.Rule, File: t.File, Line: int32(t.Line), Gas: t.Gas})
	}
	return m
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
