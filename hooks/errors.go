package hooks

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"

	"sokuji/internal/apikeys"
	"sokuji/internal/betterauth"
	"sokuji/internal/ledger"
	"sokuji/internal/ledger/sqlitestore"
)

// refusal is an error as a client sees it, in whichever shape its route family
// speaks.
type refusal struct {
	status     int
	code       string
	title      string // the short text under "error", as the original had it
	message    string // what to do
	field      string
	data       map[string]any
	retryAfter int64 // seconds, 0: no header
	cause      error // for the log only
}

func (r *refusal) Error() string { return r.code + ": " + r.message }
func (r *refusal) Unwrap() error { return r.cause }

func unauthorized() error {
	return &refusal{
		status: http.StatusUnauthorized, code: "unauthorized", title: "Unauthorized",
		message: "Sign in, or send a valid token in the Authorization header.",
	}
}

func forbidden(message string) error {
	return &refusal{status: http.StatusForbidden, code: "forbidden", title: "Forbidden", message: message}
}

func missingScope(scope apikeys.Scope) error {
	return forbidden("This API key lacks the scope " + string(scope) + ".")
}

func rateLimited(retryAfterSeconds int64) error {
	return &refusal{
		status: http.StatusTooManyRequests, code: "rate_limited", title: "Too many requests",
		message: "Too many requests. Please try again later.", retryAfter: retryAfterSeconds,
	}
}

// overloadedRetrySeconds is when to come back after a 503: the queue empties in
// well under a second.
const overloadedRetrySeconds = 1

// statusClientGone is nginx's code for a client that did not wait; nobody reads it
// but the log.
const statusClientGone = 499

// ledgerStatus and ledgerTitle are api.md's table of wallet codes.
var ledgerStatus = map[ledger.Code]int{
	ledger.CodeInvalidRequest:      http.StatusBadRequest,
	ledger.CodeInsufficientBalance: http.StatusPaymentRequired,
	ledger.CodeWalletFrozen:        http.StatusForbidden,
	ledger.CodeWalletNotFound:      http.StatusNotFound,
	ledger.CodeIdempotencyMismatch: http.StatusConflict,
	ledger.CodeForbidden:           http.StatusForbidden,
	ledger.CodeHoldNotFound:        http.StatusNotFound,
	ledger.CodeHoldNotOpen:         http.StatusConflict,
	ledger.CodeOverRefund:          http.StatusConflict,
	ledger.CodeSpendLimitReached:   http.StatusForbidden,
	ledger.CodeOverloaded:          http.StatusServiceUnavailable,
}

var ledgerTitle = map[ledger.Code]string{
	ledger.CodeInvalidRequest:      "Invalid request",
	ledger.CodeInsufficientBalance: "Insufficient balance",
	ledger.CodeWalletFrozen:        "Wallet frozen",
	ledger.CodeWalletNotFound:      "Wallet not found",
	ledger.CodeIdempotencyMismatch: "Idempotency mismatch",
	ledger.CodeForbidden:           "Forbidden",
	ledger.CodeHoldNotFound:        "Hold not found",
	ledger.CodeHoldNotOpen:         "Hold not open",
	ledger.CodeOverRefund:          "Over refund",
	ledger.CodeSpendLimitReached:   "Spend limit reached",
	ledger.CodeOverloaded:          "Overloaded",
}

// refusalOf turns any error into what a client may see.
func refusalOf(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	if l, ok := errors.AsType[*ledger.Error](err); ok {
		return ledgerRefusal(l)
	}
	if b, ok := errors.AsType[betterauth.Error](err); ok {
		return &refusal{status: b.Status, code: strings.ToLower(b.Code), title: http.StatusText(b.Status), message: b.Message, cause: err}
	}
	if p, ok := errors.AsType[*router.ApiError](err); ok {
		return pocketBaseRefusal(p)
	}
	if sqlitestore.CannotWrite(err) {
		return &refusal{
			status: http.StatusServiceUnavailable, code: string(ledger.CodeOverloaded), title: ledgerTitle[ledger.CodeOverloaded],
			message:    "The server cannot write to its disk just now: try again in a moment.",
			retryAfter: overloadedRetrySeconds, cause: err,
		}
	}
	if errors.Is(err, context.Canceled) {
		return &refusal{status: statusClientGone, code: "client_gone", title: "Client gone", message: "The request was given up before its turn; nothing was done."}
	}
	return &refusal{
		status: http.StatusInternalServerError, code: "internal_error", title: "Internal error",
		message: "Something went wrong on our side. Nothing was charged unless a later read shows it.", cause: err,
	}
}

func ledgerRefusal(err *ledger.Error) *refusal {
	r := &refusal{
		status: ledgerStatus[err.Code], code: string(err.Code), title: ledgerTitle[err.Code],
		message: err.Message, field: err.Field, cause: err.Cause,
	}
	if err.Field != "" && err.Code == ledger.CodeInvalidRequest {
		r.title = "Invalid " + err.Field
	}
	if err.Wallet != nil {
		r.data = map[string]any{"balance": err.Wallet.Balance, "available": err.Wallet.Available(), "frozen": err.Wallet.Frozen}
	}
	if err.Code == ledger.CodeOverloaded {
		r.retryAfter = overloadedRetrySeconds
	}
	return r
}

// pocketBaseRefusal covers what PocketBase's own middlewares refuse on our
// routes: bodies that are too large, unknown paths.
func pocketBaseRefusal(err *router.ApiError) *refusal {
	if err.Status == http.StatusRequestEntityTooLarge {
		return bodyTooLarge(maxBodyBytes)
	}
	codes := map[int]string{
		http.StatusUnauthorized: "unauthorized", http.StatusForbidden: "forbidden", http.StatusNotFound: "not_found",
		http.StatusTooManyRequests: "rate_limited", http.StatusInternalServerError: "internal_error",
	}
	code, known := codes[err.Status]
	if !known {
		code = string(ledger.CodeInvalidRequest)
	}
	return &refusal{status: err.Status, code: code, title: http.StatusText(err.Status), message: err.Message}
}

// errorShapes renders errors in the shape of the route family they happened in.
// It stands outside the recovery from panics, so that those speak it too.
func errorShapes() *hook.Handler[*core.RequestEvent] {
	return &hook.Handler[*core.RequestEvent]{
		Id:       "sokujiErrorShapes",
		Priority: apis.DefaultPanicRecoverMiddlewarePriority - 1,
		Func: func(e *core.RequestEvent) error {
			err := e.Next()
			if err == nil || e.Written() {
				return err
			}
			write := familyOf(e.Request.URL.Path)
			if write == nil {
				return pocketBaseError(e, err)
			}
			r := refusalOf(err)
			logServerError(e, r)
			if r.retryAfter > 0 {
				e.Response.Header().Set("Retry-After", strconv.FormatInt(r.retryAfter, 10))
			}
			return write(e, r, err)
		},
	}
}

// familyOf picks the writer of errors by path; nil leaves them to PocketBase.
func familyOf(path string) func(*core.RequestEvent, *refusal, error) error {
	for _, prefix := range []string{"/api/user", "/api/wallet", "/api/webhooks", "/api/admin"} {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return writeWalletError
		}
	}
	if strings.HasPrefix(path, "/api/auth/") {
		return writeAuthError
	}
	if strings.HasPrefix(path, "/v1/") {
		return writeGatewayError
	}
	return nil
}

func logServerError(e *core.RequestEvent, r *refusal) {
	if r.status < http.StatusInternalServerError {
		return
	}
	e.App.Logger().Error("A request failed", slog.String("method", e.Request.Method),
		slog.String("path", e.Request.URL.Path), slog.String("code", r.code), slog.Any("error", r.cause))
}

// writeWalletError writes the original's error and message beside PocketBase's
// status, message and data, so that both clients read it.
func writeWalletError(e *core.RequestEvent, r *refusal, _ error) error {
	data := r.data
	if data == nil {
		data = map[string]any{}
	}
	body := map[string]any{
		"error": r.title, "code": r.code, "message": r.message, "status": r.status, "data": data,
	}
	if r.field != "" {
		body["field"] = r.field
		data[r.field] = map[string]any{"code": r.code, "message": r.message}
	}
	if balance, ok := data["balance"]; ok {
		body["balance"] = balance // where the original had it
	}
	return e.JSON(r.status, body)
}

// writeAuthError writes Better Auth's body. Paths that it does not have answer
// 404 without one, as the original's did.
func writeAuthError(e *core.RequestEvent, r *refusal, err error) error {
	if refused, ok := errors.AsType[betterauth.Error](err); ok {
		return writeAuthJSON(e, refused.Status, refused)
	}
	if r.status == http.StatusNotFound {
		return e.NoContent(http.StatusNotFound)
	}
	if r.status == http.StatusRequestEntityTooLarge {
		return writeAuthJSON(e, r.status, betterauth.ErrPayloadTooLarge)
	}
	if r.status == http.StatusTooManyRequests {
		e.Response.Header().Set(betterauth.RetryAfterHeader, strconv.FormatInt(r.retryAfter, 10))
		return writeAuthJSON(e, r.status, betterauth.ErrRateLimited)
	}
	return writeAuthJSON(e, r.status, betterauth.Error{
		Status: r.status, Code: strings.ToUpper(r.code), Message: r.message,
	})
}

// pocketBaseError gives our refusals on PocketBase's own routes its shape.
func pocketBaseError(e *core.RequestEvent, err error) error {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		return err
	}
	if r.retryAfter > 0 {
		e.Response.Header().Set("Retry-After", strconv.FormatInt(r.retryAfter, 10))
	}
	return router.NewApiError(r.status, r.message, r.data)
}
