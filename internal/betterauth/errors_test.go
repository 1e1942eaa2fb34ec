package betterauth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestErrorBodies(t *testing.T) {
	for _, c := range []struct {
		err    Error
		status int
		body   string
	}{
		{ErrUserAlreadyExists, 422, `{"message":"User already exists. Use another email.","code":"USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"}`},
		{ErrPasswordTooShort, 400, `{"message":"Password too short","code":"PASSWORD_TOO_SHORT"}`},
		{ErrPasswordTooLong, 400, `{"message":"Password too long","code":"PASSWORD_TOO_LONG"}`},
		{ErrInvalidEmail, 400, `{"message":"Invalid email","code":"INVALID_EMAIL"}`},
		{ErrInvalidEmailOrPassword, 401, `{"message":"Invalid email or password","code":"INVALID_EMAIL_OR_PASSWORD"}`},
		{ErrUnauthorized, 401, `{"message":"Unauthorized","code":"UNAUTHORIZED"}`},
		{ErrRateLimited, 429, `{"message":"Too many requests. Please try again later."}`},
		{ErrMissingOrNullOrigin, 403, `{"message":"Missing or null Origin","code":"MISSING_OR_NULL_ORIGIN"}`},
		{ErrInvalidOrigin, 403, `{"message":"Invalid origin","code":"INVALID_ORIGIN"}`},
		{ErrInvalidCallbackURL, 403, `{"message":"Invalid callbackURL","code":"INVALID_CALLBACK_URL"}`},
		{ErrCrossSiteNavigationLoginBlocked, 403, `{"message":"Cross-site navigation login blocked. This request appears to be a CSRF attack.","code":"CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"}`},
		{ErrInvalidJSON, 400, `{"message":"Invalid JSON in request body","code":"BAD_REQUEST"}`},
		{ErrInvalidForm, 400, `{"message":"Invalid form data in request body","code":"BAD_REQUEST"}`},
		{ErrInvalidText, 400, `{"message":"Request body is not valid UTF-8","code":"BAD_REQUEST"}`},
		{ErrPayloadTooLarge, 413, `{"message":"Request body too large","code":"PAYLOAD_TOO_LARGE"}`},
		{ValidationError("[body.email] Invalid email address"), 400, `{"message":"[body.email] Invalid email address","code":"VALIDATION_ERROR"}`},
		{ValidationError("[body.password] Too small: expected string to have >=1 characters"), 400, `{"message":"[body.password] Too small: expected string to have >=1 characters","code":"VALIDATION_ERROR"}`},
		{UnsupportedMediaType("text/plain", formType, jsonType), 415, `{"message":"Content-Type \"text/plain\" is not allowed. Allowed types: application/x-www-form-urlencoded, application/json","code":"UNSUPPORTED_MEDIA_TYPE"}`},
		{UnsupportedMediaType("", jsonType), 415, `{"message":"Content-Type is required. Allowed types: application/json","code":"UNSUPPORTED_MEDIA_TYPE"}`},
	} {
		t.Run(c.err.Code, func(t *testing.T) {
			if c.err.Status != c.status {
				t.Errorf("status %d, want %d", c.err.Status, c.status)
			}
			if got := mustEncode(t, c.err); got != c.body {
				t.Errorf("\n got %s\nwant %s", got, c.body)
			}
		})
	}
}

func TestErrorIsAnError(t *testing.T) {
	wrapped := fmt.Errorf("signing in: %w", ErrInvalidEmailOrPassword)
	if !errors.Is(wrapped, ErrInvalidEmailOrPassword) || errors.Is(wrapped, ErrUnauthorized) {
		t.Error("errors.Is does not tell the errors apart")
	}
	if found, ok := errors.AsType[Error](wrapped); !ok || found.Status != http.StatusUnauthorized {
		t.Errorf("errors.AsType found %v, %v", found, ok)
	}
	if got, want := ErrInvalidOrigin.Error(), "INVALID_ORIGIN: Invalid origin"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := ErrRateLimited.Error(), "Too many requests. Please try again later."; got != want {
		t.Errorf("without a code: got %q, want %q", got, want)
	}
}

func TestUnsupportedMediaTypeRepeatsLittle(t *testing.T) {
	message := UnsupportedMediaType(strings.Repeat("é", 10_000), jsonType).Message
	if len(message) > 200 || !utf8.ValidString(message) || !strings.Contains(message, "é…") {
		t.Errorf("got %d bytes: %.300q", len(message), message)
	}
	odd := UnsupportedMediaType("x"+strings.Repeat("é", 10_000), jsonType).Message
	if !utf8.ValidString(odd) || !strings.Contains(odd, "é…") {
		t.Errorf("cut within a character: %q", odd)
	}
	exact := strings.Repeat("x", maxEchoedContentType)
	if message := UnsupportedMediaType(exact, jsonType).Message; !strings.Contains(message, `"`+exact+`"`) {
		t.Errorf("a header of the greatest length was cut: %q", message)
	}
}
