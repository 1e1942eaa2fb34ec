package hooks

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
)

// errDraining is why a call is cut at shutdown.
var errDraining = errors.New("the server is shutting down")

const requestIDHeader = "x-request-id"

// shouldRetryHeader tells the SDKs not to try again by themselves what cannot end
// better: they repeat every 409 and 429.
const shouldRetryHeader = "x-should-retry"

// gatewayCodes give refusals the names that OpenAI's clients know.
var gatewayCodes = map[string]struct {
	code   string
	status int // 0: stays
	final  bool
}{
	"unauthorized":                         {code: "invalid_api_key"},
	string(ledger.CodeInsufficientBalance): {code: "insufficient_quota", status: http.StatusTooManyRequests, final: true},
	"spend_limit_reached":                  {code: "insufficient_quota", status: http.StatusTooManyRequests, final: true},
	string(ledger.CodeIdempotencyMismatch): {code: string(ledger.CodeIdempotencyMismatch), final: true},
	"idempotency_key_reused":               {code: "idempotency_key_reused", final: true},
	"rate_limited":                         {code: "rate_limit_exceeded"},
}

// gatewayError is a refusal as a client of /v1 sees it, in either dialect.
type gatewayError struct {
	status         int
	message, field string
	code           string
	final          bool
}

func gatewayErrorOf(r *refusal) gatewayError {
	shown := gatewayError{status: r.status, message: r.message, field: r.field, code: r.code}
	if known, ok := gatewayCodes[r.code]; ok {
		shown.code, shown.final = known.code, known.final
		if known.status != 0 {
			shown.status = known.status
		}
	}
	return shown
}

// writeGatewayError writes the body of the dialect that the route speaks.
func writeGatewayError(e *core.RequestEvent, r *refusal, _ error) error {
	shown := gatewayErrorOf(r)
	if shown.final {
		e.Response.Header().Set(shouldRetryHeader, "false")
	}
	return e.JSON(shown.status, shown.body(speaksAnthropic(e)))
}

// speaksAnthropic tells whether the client is one of Anthropic's.
func speaksAnthropic(e *core.RequestEvent) bool {
	return strings.HasPrefix(e.Request.URL.Path, "/v1/messages") || e.Request.Header.Get("anthropic-version") != ""
}

func (g gatewayError) body(anthropic bool) map[string]any {
	if anthropic {
		return map[string]any{"type": "error", "error": map[string]any{
			"type": anthropicErrorType(g.status), "message": g.message, "code": g.code,
		}}
	}
	var param any
	if g.field != "" {
		param = g.field
	}
	return map[string]any{"error": map[string]any{
		"message": g.message, "type": openAIErrorType(g.status, g.code), "param": param, "code": g.code,
	}}
}

func openAIErrorType(status int, code string) string {
	switch {
	case code == "insufficient_quota":
		return "insufficient_quota"
	case status == http.StatusForbidden:
		return "permission_error"
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status >= http.StatusInternalServerError:
		return "server_error"
	}
	return "invalid_request_error"
}

func anthropicErrorType(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusServiceUnavailable:
		return "overloaded_error"
	case http.StatusGatewayTimeout:
		return "timeout_error"
	}
	if status >= http.StatusInternalServerError {
		return "api_error"
	}
	return "invalid_request_error"
}

func providerRefusal(status int, message string, cause error) *refusal {
	return &refusal{status: status, code: "provider_error", title: "Provider error", message: message, cause: cause}
}

// refusalOfCut says why an answer did not come, or ended in the middle.
func refusalOfCut(err error) *refusal {
	for _, timeout := range []error{gateway.ErrFirstByteTimeout, gateway.ErrIdleTimeout, gateway.ErrTotalTimeout} {
		if errors.Is(err, timeout) {
			return providerRefusal(http.StatusGatewayTimeout, sentence(timeout), err)
		}
	}
	switch {
	case errors.Is(err, errDraining):
		return &refusal{status: http.StatusServiceUnavailable, code: string(ledger.CodeOverloaded), title: "Shutting down",
			message: "The server is shutting down: try again in a moment.", retryAfter: overloadedRetrySeconds, cause: err}
	case errors.Is(err, gateway.ErrClientGone), errors.Is(err, context.Canceled):
		return &refusal{status: statusClientGone, code: "client_gone", title: "Client gone", message: "The client went away before the answer was whole."}
	}
	return providerRefusal(http.StatusBadGateway, "The provider could not be reached, or broke off: try again in a moment.", err)
}

// sentence makes a message of an error's text.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// passesThrough tells whether a provider's refusal is about the request, so that
// the client should read it as it is.
func passesThrough(f *gateway.Failure) bool {
	switch f.Status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false // about the operator's account there, which it may name, or about nobody's
	}
	if f.Status < 400 || f.Status >= 500 {
		return false
	}
	if _, err := gateway.ParseBody(f.Body); err != nil {
		return false // a page of some server on the way, or cut
	}
	key := f.Upstream.Key.Bytes()
	return len(key) == 0 || !bytes.Contains(f.Body, key)
}

// refusalOfFailure is what a client learns of a failure that is the provider's, or
// of the operator's account there: not what the provider said, which may name a key.
func refusalOfFailure(f *gateway.Failure) *refusal {
	if errors.Is(f.Cause, gateway.ErrFailedAnswer) || errors.Is(f.Cause, gateway.ErrOtherAnswer) {
		return couldNotAnswer(f)
	}
	if f.Status == 0 {
		return refusalOfCut(f.Cause)
	}
	isLimited := f.Status == http.StatusTooManyRequests
	if isLimited && !bytes.Contains(f.Body, []byte("insufficient_quota")) { // else the operator's account is empty
		return &refusal{status: f.Status, code: "rate_limited", title: "Too many requests", cause: f,
			message: "The provider of this model is busy: try again in a moment.", retryAfter: retryAfter(f.Header)}
	}
	const overloadedAtAnthropic = 529
	if isLimited || f.Status == http.StatusServiceUnavailable || f.Status == overloadedAtAnthropic {
		return providerRefusal(http.StatusServiceUnavailable, "The provider is overloaded: try again in a moment.", f)
	}
	return couldNotAnswer(f)
}

func couldNotAnswer(cause error) *refusal {
	return providerRefusal(http.StatusBadGateway, "The provider could not answer this: try again in a moment.", cause)
}

// maxRetryAfter bounds, in seconds, how long a client is told to wait because a
// provider said so.
const maxRetryAfter = 3600

// retryAfter is how many seconds a provider wants to be left alone, 1 where it does
// not say.
func retryAfter(header http.Header) int64 {
	seconds, err := strconv.ParseInt(header.Get("Retry-After"), 10, 64)
	if err != nil {
		return overloadedRetrySeconds
	}
	return min(max(seconds, overloadedRetrySeconds), maxRetryAfter)
}
