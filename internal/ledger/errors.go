package ledger

import "errors"

// Code is the stable name of a refusal, as clients see it.
type Code string

const (
	CodeInvalidRequest      Code = "invalid_request"
	CodeInsufficientBalance Code = "insufficient_balance"
	CodeForbidden           Code = "forbidden"
	CodeWalletFrozen        Code = "wallet_frozen"
	CodeWalletNotFound      Code = "wallet_not_found"
	CodeIdempotencyMismatch Code = "idempotency_mismatch"
	CodeHoldNotFound        Code = "hold_not_found"
	CodeHoldNotOpen         Code = "hold_not_open"
	CodeOverRefund          Code = "over_refund"
	CodeSpendLimitReached   Code = "spend_limit_reached"
	CodeOverloaded          Code = "overloaded"
)

// Error is a refusal: nothing was written. Its message is fit for a client and
// says what to do; causes that are not, such as a disk error, go into Cause and
// only to logs.
type Error struct {
	Code    Code
	Field   string // the offending field of the request, if one is
	Message string
	Wallet  *Wallet // the wallet that refused, where that helps the caller
	Cause   error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return string(e.Code) + ": " + e.Message + " (" + e.Cause.Error() + ")"
	}
	return string(e.Code) + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// CodeOf returns the code of a ledger refusal, or "" for any other error.
func CodeOf(err error) Code {
	if refusal := asError(err); refusal != nil {
		return refusal.Code
	}
	return ""
}

// asError is a refusal as what it is.
func asError(err error) *Error {
	refusal, _ := errors.AsType[*Error](err)
	return refusal
}

// Invalid refuses a request because of one of its fields.
func Invalid(field, message string) error {
	return &Error{Code: CodeInvalidRequest, Field: field, Message: message}
}

// ErrConflict is what a store returns when one row of a batch broke a
// constraint: the rows beside it are innocent and may be tried without it.
var ErrConflict = errors.New("ledger: one operation of a batch cannot be stored")

func notFound(subject Subject) error {
	return &Error{
		Code:    CodeWalletNotFound,
		Message: "Wallet not initialized: there is no wallet of " + string(subject.Type) + " " + subject.ID + ".",
	}
}

func unavailable(cause error) error {
	return &Error{
		Code:    CodeOverloaded,
		Message: "The ledger could not store this just now. Nothing is charged twice if you repeat it with the same Idempotency-Key.",
		Cause:   cause,
	}
}
