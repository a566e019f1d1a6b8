package aggregate

import (
	"errors"
	"fmt"
	"time"
)

// Conditions to ask for with [errors.Is].
var (
	// ErrConflict: the aggregate has moved on since the caller looked.
	ErrConflict = errors.New("version conflict")
	// ErrNotFound: the aggregate has no events.
	ErrNotFound = errors.New("aggregate not found")
	// ErrInDoubt: whether the append took place is unknown (outcome_unknown).
	ErrInDoubt = errors.New("outcome unknown")
	// ErrTooLarge: one commit does not fit into a message of the log.
	ErrTooLarge = errors.New("too large")
	// ErrTenantAccessDenied: the aggregate belongs to another tenant.
	ErrTenantAccessDenied = errors.New("tenant access denied")
	// ErrStaleMark: a mark names a place that the log does not have.
	ErrStaleMark = errors.New("stale mark")
	// ErrManifestBehind: the log holds something that a newer manifest or engine wrote.
	ErrManifestBehind = errors.New("manifest behind")
	// ErrRehydration: stored events cannot be read, are not gapless, or their chain is broken.
	ErrRehydration = errors.New("rehydration failed")
	// ErrStorage: the snapshot store does not work.
	ErrStorage = errors.New("storage error")
	// ErrStream: the event log is out of reach or refuses writes.
	ErrStream = errors.New("stream error")
	// ErrClock: the clock is not to be trusted.
	ErrClock = errors.New("clock error")
	// ErrUnavailable: the node takes no such work now (drain, shutdown, a full queue).
	ErrUnavailable = errors.New("unavailable")
	// ErrQuota: the tenant is over a limit.
	ErrQuota = errors.New("over quota")
	// ErrCommandIDReused: the command id has a commit of another payload.
	ErrCommandIDReused = errors.New("command id reused")
)

// FieldError is one thing wrong with one field.
type FieldError struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// ValidationError: the command was refused before any rule saw a state. Path is the first
// place, such as lines[2].qty; Errors lists all of them.
type ValidationError struct {
	Path    string
	Message string
	Errors  []FieldError
}

func (e *ValidationError) Error() string {
	if e.Path == "" {
		return e.Message
	}
	return e.Path + ": " + e.Message
}

// RejectedError is a refusal by the domain: a rule said no, and the state is as it was.
type RejectedError struct {
	Code    string // an identifier such as insufficient_funds, or a reserved one such as not_found
	Message string // for people; may be empty
}

func (e *RejectedError) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// VersionConflictError: the caller's expected version is stale, or retries ran out.
type VersionConflictError struct{ Expected, Actual Version }

func (e *VersionConflictError) Error() string {
	return fmt.Sprintf("version conflict: expected %d, actual %d", e.Expected, e.Actual)
}

// Is matches [ErrConflict].
func (e *VersionConflictError) Is(target error) bool { return target == ErrConflict }

// TenantAccessDeniedError: the aggregate, or the stored data met, belongs to another tenant than TenantID.
type TenantAccessDeniedError struct{ TenantID TenantID }

func (e *TenantAccessDeniedError) Error() string {
	return fmt.Sprintf("tenant %q may not access this aggregate", string(e.TenantID))
}

// Is matches [ErrTenantAccessDenied].
func (e *TenantAccessDeniedError) Is(target error) bool { return target == ErrTenantAccessDenied }

// NotFoundError: the aggregate has no events.
type NotFoundError struct{ Key Key }

func (e *NotFoundError) Error() string { return "no aggregate " + e.Key.String() }

// Is matches [ErrNotFound].
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// FaultError is a defect of a manifest met while it ran: overflow, gas and the like. Nothing
// was persisted.
type FaultError struct {
	Apply bool   // met while applying an event (ApplyError); else while deciding (DecideError)
	Kind  string // gas overflow inexact division_by_zero absent_key index range not_whole bound memory
	Rule  string // such as "decide withdraw"
	File  string
	Line  int
	Gas   int64 // used until then
}

func (e *FaultError) Error() string {
	return fmt.Sprintf("fault %s in %s (%s:%d, gas used %d)", e.Kind, e.Rule, e.File, e.Line, e.Gas)
}

// UnavailableError asks the caller to come again. It matches the condition in Reason.
type UnavailableError struct {
	Reason     error // one of the conditions above
	Message    string
	RetryAfter time.Duration
}

func (e *UnavailableError) Error() string {
	if e.Message == "" {
		return e.Reason.Error()
	}
	return e.Reason.Error() + ": " + e.Message
}

// Unwrap gives the condition.
func (e *UnavailableError) Unwrap() error { return e.Reason }
