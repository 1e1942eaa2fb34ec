package betterauth

import (
	"net/http"
	"strings"
)

// Error is an answer that refuses a request. Marshalled, for instance with
// Encode, it is the body {"message","code"}; an empty Code is left out. Message is
// shown to people and must never repeat a password, a token or a secret.
//
// Values are compared with ==, so errors.Is works with the variables below.
type Error struct {
	// Status is the HTTP status code.
	Status int `json:"-"`
	// Message stands before Code, as 1.7 prints them.
	Message string `json:"message"`
	// Code is what clients switch on.
	Code string `json:"code,omitempty"`
}

// Error returns the code, if there is one, and the message.
func (e Error) Error() string {
	if e.Code == "" {
		return e.Message
	}
	return e.Code + ": " + e.Message
}

// RetryAfterHeader carries the seconds to wait, as a whole number, on an answer
// with ErrRateLimited.
const RetryAfterHeader = "X-Retry-After"

// Errors about accounts and sessions.
var (
	ErrUserAlreadyExists      = Error{http.StatusUnprocessableEntity, "User already exists. Use another email.", "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"}
	ErrPasswordTooShort       = Error{http.StatusBadRequest, "Password too short", "PASSWORD_TOO_SHORT"}
	ErrPasswordTooLong        = Error{http.StatusBadRequest, "Password too long", "PASSWORD_TOO_LONG"}
	ErrInvalidEmail           = Error{http.StatusBadRequest, "Invalid email", "INVALID_EMAIL"}
	ErrInvalidEmailOrPassword = Error{http.StatusUnauthorized, "Invalid email or password", "INVALID_EMAIL_OR_PASSWORD"}
	ErrUnauthorized           = Error{http.StatusUnauthorized, "Unauthorized", "UNAUTHORIZED"}
	// ErrRateLimited has no code, as in the library. Send RetryAfterHeader with it.
	ErrRateLimited = Error{http.StatusTooManyRequests, "Too many requests. Please try again later.", ""}
)

// Errors about where a request comes from.
var (
	ErrMissingOrNullOrigin             = Error{http.StatusForbidden, "Missing or null Origin", "MISSING_OR_NULL_ORIGIN"}
	ErrInvalidOrigin                   = Error{http.StatusForbidden, "Invalid origin", "INVALID_ORIGIN"}
	ErrInvalidCallbackURL              = Error{http.StatusForbidden, "Invalid callbackURL", "INVALID_CALLBACK_URL"}
	ErrCrossSiteNavigationLoginBlocked = Error{http.StatusForbidden, "Cross-site navigation login blocked. This request appears to be a CSRF attack.", "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"}
)

// Errors about a body that cannot be read. The library knows the first one only:
// it guesses at broken forms and broken text, and leaves the size to its host.
var (
	ErrInvalidJSON     = Error{http.StatusBadRequest, "Invalid JSON in request body", "BAD_REQUEST"}
	ErrInvalidForm     = Error{http.StatusBadRequest, "Invalid form data in request body", "BAD_REQUEST"}
	ErrInvalidText     = Error{http.StatusBadRequest, "Request body is not valid UTF-8", "BAD_REQUEST"}
	ErrPayloadTooLarge = Error{http.StatusRequestEntityTooLarge, "Request body too large", "PAYLOAD_TOO_LARGE"}
)

// ValidationError is the answer to a body that was read but does not fit, status
// 400. The message names the field, for instance "[body.email] Invalid email
// address"; several problems are joined with "; ".
func ValidationError(message string) Error {
	return Error{http.StatusBadRequest, message, "VALIDATION_ERROR"}
}

// maxEchoedContentType bounds, in bytes, how much of a foreign header an error
// repeats.
const maxEchoedContentType = 100

// UnsupportedMediaType is the answer to a body of another content type than the
// allowed ones, status 415. contentType is the request's header, possibly empty.
func UnsupportedMediaType(contentType string, allowed ...string) Error {
	problem := "Content-Type is required."
	if contentType != "" {
		problem = `Content-Type "` + shorten(contentType) + `" is not allowed.`
	}
	message := problem + " Allowed types: " + strings.Join(allowed, ", ")
	return Error{http.StatusUnsupportedMediaType, message, "UNSUPPORTED_MEDIA_TYPE"}
}

func shorten(contentType string) string {
	if len(contentType) <= maxEchoedContentType {
		return contentType
	}
	return strings.ToValidUTF8(contentType[:maxEchoedContentType], "") + "…"
}
