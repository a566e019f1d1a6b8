package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/internal/server/auth"
)

// Problem is one error as every door shows it: HTTP as RFC 9457 problem details, gRPC as a
// status with google.rpc details.
type Problem struct {
	Status int        // HTTP
	GRPC   codes.Code // gRPC
	// Code is the domain's own code, such as insufficient_funds, or one of ours.
	Code   string
	Title  string
	Detail string
	Errors []aggregate.FieldError
	// RetryAfter, when positive, is when to come again.
	RetryAfter time.Duration
	// Fault is set for a defect of the manifest.
	Fault *aggregate.FaultError
	// Conflict is set for a version conflict.
	Conflict *aggregate.VersionConflictError
}

// reservedRefusals are the refusals that the system gives, with statuses of their own.
var reservedRefusals = map[string]Problem{
	"not_found":      {Status: http.StatusNotFound, GRPC: codes.NotFound, Title: "Not found"},
	"already_exists": {Status: http.StatusConflict, GRPC: codes.AlreadyExists, Title: "Already exists"},
	"forbidden":      {Status: http.StatusForbidden, GRPC: codes.PermissionDenied, Title: "Forbidden"},
}

// conditions is the table of the conditions that errors.Is asks for, the first that fits.
var conditions = []struct {
	is error
	p  Problem
}{
	{auth.ErrUnauthenticated, Problem{Status: 401, GRPC: codes.Unauthenticated, Code: "unauthenticated", Title: "Unauthenticated"}},
	{aggregate.ErrTenantAccessDenied, Problem{Status: 403, GRPC: codes.PermissionDenied, Code: "tenant_access_denied", Title: "Tenant access denied"}},
	{aggregate.ErrCommandIDReused, Problem{Status: 422, GRPC: codes.FailedPrecondition, Code: "command_id_reused", Title: "Command id reused"}},
	{aggregate.ErrInDoubt, Problem{Status: 503, GRPC: codes.Unavailable, Code: "outcome_unknown", Title: "Outcome unknown", RetryAfter: time.Second}},
	{aggregate.ErrConflict, Problem{Status: 409, GRPC: codes.Aborted, Code: "version_conflict", Title: "Version conflict"}},
	{aggregate.ErrNotFound, Problem{Status: 404, GRPC: codes.NotFound, Code: "not_found", Title: "Not found"}},
	{aggregate.ErrTooLarge, Problem{Status: 413, GRPC: codes.ResourceExhausted, Code: "too_large", Title: "Too large"}},
	{aggregate.ErrManifestBehind, Problem{Status: 503, GRPC: codes.Unavailable, Code: "manifest_behind", Title: "Manifest behind", RetryAfter: 5 * time.Second}},
	{aggregate.ErrRehydration, Problem{Status: 500, GRPC: codes.DataLoss, Code: "rehydration_error", Title: "Stored events unreadable"}},
	{aggregate.ErrStorage, Problem{Status: 503, GRPC: codes.Unavailable, Code: "storage_error", Title: "Storage unavailable", RetryAfter: time.Second}},
	{aggregate.ErrStream, Problem{Status: 503, GRPC: codes.Unavailable, Code: "stream_error", Title: "Event log unavailable", RetryAfter: time.Second}},
	{aggregate.ErrClock, Problem{Status: 503, GRPC: codes.Unavailable, Code: "clock", Title: "Clock not trusted", RetryAfter: 5 * time.Second}},
	{aggregate.ErrQuota, Problem{Status: 429, GRPC: codes.ResourceExhausted, Code: "quota", Title: "Over quota", RetryAfter: time.Second}},
	{aggregate.ErrUnavailable, Problem{Status: 503, GRPC: codes.Unavailable, Code: "unavailable", Title: "Unavailable", RetryAfter: time.Second}},
	{context.DeadlineExceeded, Problem{Status: 504, GRPC: codes.DeadlineExceeded, Code: "deadline_exceeded", Title: "Deadline exceeded"}},
	{context.Canceled, Problem{Status: 499, GRPC: codes.Canceled, Code: "canceled", Title: "Canceled"}},
}

// ProblemOf tells how an error is shown. An error that the table does not know is Internal, and
// its text, which was not written for callers, is not shown.
func ProblemOf(err error) Problem {
	var (
		rejected *aggregate.RejectedError
		invalid  *aggregate.ValidationError
		fault    *aggregate.FaultError
	)
	switch {
	case errors.As(err, &rejected):
		return rejectedProblem(rejected)
	case errors.As(err, &invalid):
		return invalidProblem(invalid)
	case errors.As(err, &fault):
		return faultProblem(fault)
	}
	for _, c := range conditions {
		if errors.Is(err, c.is) {
			return conditionProblem(c.p, err)
		}
	}
	return Problem{Status: 500, GRPC: codes.Internal, Code: "internal", Title: "Internal error"}
}

// message is the detail, or the title where there is none.
func (p *Problem) message() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

func rejectedProblem(e *aggregate.RejectedError) Problem {
	p, ok := reservedRefusals[e.Code]
	if !ok {
		p = Problem{Status: http.StatusUnprocessableEntity, GRPC: codes.FailedPrecondition, Title: "Rejected"}
	}
	p.Code, p.Detail = e.Code, e.Message
	return p
}

func invalidProblem(e *aggregate.ValidationError) Problem {
	p := Problem{Status: http.StatusBadRequest, GRPC: codes.InvalidArgument, Code: "validation_error", Title: "Invalid command", Detail: e.Error(), Errors: e.Errors}
	if len(p.Errors) == 0 {
		p.Errors = []aggregate.FieldError{{Path: e.Path, Message: e.Message}}
	}
	return p
}

func faultProblem(e *aggregate.FaultError) Problem {
	p := Problem{Status: http.StatusInternalServerError, GRPC: codes.Internal, Code: "decide_error", Title: "Rule fault", Detail: e.Error(), Fault: e}
	if e.Apply {
		p.Code = "apply_error"
	}
	if e.Kind == "gas" {
		p.Status, p.GRPC = http.StatusTooManyRequests, codes.ResourceExhausted
	}
	return p
}

func conditionProblem(p Problem, err error) Problem {
	p.Detail = err.Error()
	var busy *aggregate.UnavailableError
	if errors.As(err, &busy) && busy.RetryAfter > 0 {
		p.RetryAfter = busy.RetryAfter
	}
	errors.As(err, &p.Conflict)
	if errors.Is(err, context.DeadlineExceeded) {
		p.Detail = fmt.Sprintf("%v: ask again with the same command id", err)
	}
	return p
}
