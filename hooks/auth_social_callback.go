package hooks

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/betterauth"
)

// What a callback fails with, in the error parameter of the address that it sends
// the browser to; the library's words.
const (
	socialNoState      = "state_not_found"
	socialMismatch     = "state_mismatch"
	socialNoCode       = "no_code"
	socialNoProvider   = "oauth_provider_not_found"
	socialBadCode      = "invalid_code"
	socialNoEmail      = "email_not_found"
	socialClosed       = "signup_disabled"
	socialMayNot       = "unable_to_link_account"
	socialTooOften     = "too_many_requests"
	socialBroken       = "internal_server_error"
	socialErrorPath    = "/api/auth/error"
	maxSocialErrorText = 200 // bytes of what a provider says went wrong
)

// authSocialCallback is where the provider sends the browser back to. Whatever
// happens, the browser goes on to a page of whoever began the sign-in.
func (s *server) authSocialCallback(e *core.RequestEvent) error {
	header := e.Response.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	if e.Request.Method != http.MethodGet {
		return e.NoContent(http.StatusMethodNotAllowed)
	}
	if throttle(s.signInLimit, "social-callback", clientAddress(e)) != nil {
		return s.socialFailed(e, betterauth.SocialState{}, socialTooOften)
	}
	query := e.Request.URL.Query()
	if query.Get("state") == "" {
		return s.socialFailed(e, betterauth.SocialState{}, socialNoState)
	}
	state, err := betterauth.StateFromCookies(s.secrets[0], e.Request, s.secure(e), query.Get("state"), e.Request.PathValue("provider"), time.Now().Unix())
	if err != nil {
		return s.socialFailed(e, state, socialMismatch)
	}
	header.Add("Set-Cookie", betterauth.ExpiredStateCookie(s.secure(e)))
	if problem := query.Get("error"); problem != "" {
		return s.socialFailed(e, state, cutText(problem), cutText(query.Get("error_description")))
	}
	code := query.Get("code")
	if code == "" {
		return s.socialFailed(e, state, socialNoCode)
	}
	if _, err := socialProvider(e.App, state.Provider); err != nil {
		return s.socialFailed(e, state, socialNoProvider)
	}
	outcome := s.exchange(e, state, code)
	if outcome.problem != "" {
		return s.socialFailed(e, state, outcome.problem)
	}
	if _, err := s.startSession(e, outcome.record, nil); err != nil {
		return err
	}
	return e.Redirect(http.StatusFound, socialTarget(state, outcome.isNew))
}

func socialTarget(state betterauth.SocialState, isNew bool) string {
	if isNew && state.NewUserURL != "" {
		return state.NewUserURL
	}
	if state.CallbackURL != "" {
		return state.CallbackURL
	}
	return "/"
}

// socialFailed sends the browser to where the sign-in wanted failures to go, or to
// a page of ours. The addresses of a state are its maker's and were checked then.
func (s *server) socialFailed(e *core.RequestEvent, state betterauth.SocialState, problem string, description ...string) error {
	target := state.ErrorURL
	if target == "" {
		target = socialErrorPath
	}
	target = betterauth.WithQuery(target, "error", problem)
	if len(description) == 1 && description[0] != "" {
		target = betterauth.WithQuery(target, "error_description", description[0])
	}
	return e.Redirect(http.StatusFound, target)
}

// authSocialPosted takes the answer of a provider that posts it, as Apple does: a
// post from another site comes without our cookies, and the get that follows it
// with them.
func authSocialPosted(e *core.RequestEvent) error {
	body, err := readBody(e, maxBodyBytes)
	if err != nil {
		return err
	}
	sent, err := url.ParseQuery(string(body))
	if err != nil {
		return betterauth.ErrInvalidForm
	}
	kept := url.Values{}
	for _, name := range []string{"code", "state", "error", "error_description"} {
		if value := sent.Get(name); value != "" {
			kept.Set(name, value)
		}
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.Redirect(http.StatusSeeOther, socialCallbackPath+url.PathEscape(e.Request.PathValue("provider"))+"?"+kept.Encode())
}

// authErrorPage says in plain text what a callback failed with, for sign-ins that
// named no page of their own.
func authErrorPage(e *core.RequestEvent) error {
	header := e.Response.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	problem := cutText(e.Request.URL.Query().Get("error"))
	return e.String(http.StatusOK, "Signing in did not work: "+problem+"\n\nGo back to the app and try again.\n")
}

// cutText keeps what a stranger says to one short line.
func cutText(text string) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, ""))
	return strings.ToValidUTF8(text[:min(len(text), maxSocialErrorText)], "")
}

// problemOf names why PocketBase refused, from how far it came.
func problemOf(outcome *socialOutcome, status int) string {
	switch {
	case outcome.refusal != "":
		return outcome.refusal
	case status == http.StatusTooManyRequests:
		return socialTooOften
	case status >= http.StatusInternalServerError:
		return socialBroken
	case !outcome.fetched:
		return socialBadCode
	case outcome.isNew:
		return socialClosed
	}
	return socialMayNot
}

var errSocialEmail = errors.New("the provider names no verified address")
