package betterauth

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// Errors about signing in by another service.
var (
	ErrProviderNotFound   = Error{http.StatusNotFound, "Provider not found", "PROVIDER_NOT_FOUND"}
	ErrIDTokenUnsupported = Error{http.StatusNotFound, "id_token not supported", "ID_TOKEN_NOT_SUPPORTED"}
	ErrInvalidErrorURL    = Error{http.StatusForbidden, "Invalid errorCallbackURL", "INVALID_ERROR_CALLBACK_URL"}
	ErrInvalidNewUserURL  = Error{http.StatusForbidden, "Invalid newUserCallbackURL", "INVALID_NEW_USER_CALLBACK_URL"}
)

const (
	maxProviderLength  = 100
	maxLoginHintLength = 320
)

// SignInSocial is the body of sign-in/social, checked. Empty text is text that was
// not sent. The addresses are not yet trusted: see CheckURLs.
type SignInSocial struct {
	Provider           string
	CallbackURL        string
	ErrorCallbackURL   string
	NewUserCallbackURL string
	LoginHint          string
	// HasIDToken says that the client brings a token of the provider's.
	HasIDToken bool
	// DisableRedirect asks for the address alone.
	DisableRedirect bool
}

// DecodeSignInSocial reads the body of sign-in/social, JSON only. Errors are of
// type Error: what keeps the body from being read, or a ValidationError in the
// order of the fields of SignInSocial. Fields that would change what is asked of
// the provider (scopes, additionalParams) are ignored: an admin decides on those.
func DecodeSignInSocial(contentType string, content []byte) (SignInSocial, error) {
	check, err := readFields(contentType, content,
		"provider", "callbackURL", "errorCallbackURL", "newUserCallbackURL", "loginHint", "idToken", "disableRedirect")
	if err != nil {
		return SignInSocial{}, err
	}
	form := SignInSocial{
		Provider:           check.requiredText("provider", maxProviderLength),
		CallbackURL:        valueOf(check.optionalText("callbackURL", maxURLLength)),
		ErrorCallbackURL:   valueOf(check.optionalText("errorCallbackURL", maxURLLength)),
		NewUserCallbackURL: valueOf(check.optionalText("newUserCallbackURL", maxURLLength)),
		LoginHint:          valueOf(check.optionalText("loginHint", maxLoginHintLength)),
	}
	_, form.HasIDToken = check.fields["idToken"]
	if disable := check.optionalBoolean("disableRedirect"); disable != nil {
		form.DisableRedirect = *disable
	}
	if err := check.result(); err != nil {
		return SignInSocial{}, err
	}
	return form, nil
}

// CheckURLs returns the error of the first address that CheckCallbackURL refuses.
func (f SignInSocial) CheckURLs(self string, trusted Origins) error {
	for _, address := range []struct {
		url     string
		refusal Error
	}{
		{f.CallbackURL, ErrInvalidCallbackURL},
		{f.ErrorCallbackURL, ErrInvalidErrorURL},
		{f.NewUserCallbackURL, ErrInvalidNewUserURL},
	} {
		if CheckCallbackURL(address.url, self, trusted) != nil {
			return address.refusal
		}
	}
	return nil
}

// SocialAnswer is the answer to sign-in/social: where the browser has to go, and
// whether the client should send it there.
type SocialAnswer struct {
	URL      string `json:"url"`
	Redirect bool   `json:"redirect"`
}

// SocialState is what a browser keeps in a sealed cookie while it is away at the
// provider's.
type SocialState struct {
	// State is what the provider must hand back.
	State string `json:"state"`
	// Provider is who the browser was sent to.
	Provider string `json:"provider"`
	// Verifier is PKCE's, which the provider asks for with the code.
	Verifier string `json:"verifier"`
	// RedirectURL is where the provider sends the browser back to.
	RedirectURL string `json:"redirectURL"`
	CallbackURL string `json:"callbackURL"`
	ErrorURL    string `json:"errorURL"`
	NewUserURL  string `json:"newUserURL"`
	// ExpiresAt is in Unix seconds.
	ExpiresAt int64 `json:"expiresAt"`
}

const (
	// StateCookie holds a SocialState, sealed.
	StateCookie = "better-auth.state"
	// StateLifetimeSeconds is how long one may be away at the provider's.
	StateLifetimeSeconds = 600

	statePurpose = "social sign-in state"
)

// ErrStateTooLong is for addresses that do not fit into a cookie together.
var ErrStateTooLong = Error{http.StatusBadRequest, "The callback addresses are too long", "BAD_REQUEST"}

// NewStateCookie returns the value of the Set-Cookie header that binds a sign-in
// to the browser which began it. It fails with ErrStateTooLong, or when random does.
func NewStateCookie(random io.Reader, secret []byte, secure bool, state SocialState) (string, error) {
	plain, err := json.Marshal(state)
	if err != nil {
		return "", err
	}
	if len(plain) > maxStateLength {
		return "", ErrStateTooLong
	}
	sealed, err := Seal(random, PurposeKey(secret, statePurpose), plain)
	if err != nil {
		return "", err
	}
	maxAge := "; Max-Age=" + strconv.Itoa(StateLifetimeSeconds)
	return CookieName(secure, StateCookie) + "=" + sealed + maxAge + cookieAttributes(secure), nil
}

// maxStateLength bounds a state before it is sealed, in bytes, so that the cookie
// with its name and attributes stays below the 4,096 that browsers keep.
const maxStateLength = 2800

// ExpiredStateCookie makes a browser forget the state: it is good once.
func ExpiredStateCookie(secure bool) string {
	return CookieName(secure, StateCookie) + "=; Max-Age=0" + cookieAttributes(secure)
}

// What is wrong with the state that a browser came back with.
var (
	ErrStateMissing  = errors.New("the browser that came back is not the one that left")
	ErrStateMismatch = errors.New("the state that came back is not the one that was sent, or is over")
)

// StateFromCookies returns the state of the request's browser, if the provider
// handed the same back: state and provider are what the request says, nowSeconds
// is Unix time. A cookie of the right form comes back also with ErrStateMismatch,
// because its addresses are good. ErrStateMissing is for a request without one.
func StateFromCookies(secret []byte, r *http.Request, secure bool, state, provider string, nowSeconds int64) (SocialState, error) {
	for _, cookie := range r.CookiesNamed(CookieName(secure, StateCookie)) {
		plain, ok := Open(PurposeKey(secret, statePurpose), cookie.Value)
		var kept SocialState
		if !ok || json.Unmarshal(plain, &kept) != nil {
			continue
		}
		if state == "" || kept.State != state || kept.Provider != provider || nowSeconds >= kept.ExpiresAt {
			return kept, ErrStateMismatch
		}
		return kept, nil
	}
	return SocialState{}, ErrStateMissing
}

func valueOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
