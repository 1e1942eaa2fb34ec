package hooks

import (
	"errors"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/betterauth"
)

// ottVerify takes a one-time token out of a link and gives the browser the cookie
// of its session: how an app that is signed in opens a page that is too. It is
// the one route with a token in its address, so the token is good once, and the
// address goes nowhere: not into a cache, not into a Referer, not into the log.
func (s *server) ottVerify(e *core.RequestEvent) error {
	header := e.Response.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	if e.Request.Method != http.MethodGet {
		header.Set("Allow", http.MethodGet)
		return e.Error(http.StatusMethodNotAllowed, "A one-time token is used by GET alone: a HEAD would spend it for nothing.", nil)
	}
	if err := s.checkLinkOrigin(e.Request, s.ownOrigin(e)); err != nil {
		return e.ForbiddenError("This link may not be followed from another site: it would sign you in as somebody else.", err)
	}
	query := e.Request.URL.Query()
	redirect := query.Get("redirect")
	if err := betterauth.CheckCallbackURL(redirect, s.ownOrigin(e), s.origins); err != nil || len(query["redirect"]) > 1 {
		return e.ForbiddenError("redirect must be a path, or an address on an origin that FRONTEND_URL lists.", err)
	}
	session, sessionToken, err := s.useOneTimeToken(e.Request.Context(), query.Get("token"))
	if refused, ok := errors.AsType[betterauth.Error](err); ok {
		if redirect == "" {
			return e.BadRequestError("The link is not valid any more: open it once, within three minutes.", refused)
		}
		return e.Redirect(http.StatusFound, betterauth.WithQuery(redirect, "error", strings.ToLower(refused.Code)))
	}
	if err != nil {
		return err
	}
	if redirect == "" {
		redirect = "/"
	}
	s.setSessionCookie(e, sessionToken, session)
	return e.Redirect(http.StatusFound, redirect)
}

// checkLinkOrigin refuses a link that a page on another origin sent the browser
// to, with a token of a session of its own, unless the page is trusted: a
// neighbour on the same site is not. Who typed the address, or followed it out of
// an app, comes from no site.
func (s *server) checkLinkOrigin(r *http.Request, self string) error {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return nil
	}
	referer := r.Header.Get("Referer")
	if !strings.Contains(referer, "://") || strings.HasPrefix(referer, "/") { // not an address
		return betterauth.ErrCrossSiteNavigationLoginBlocked
	}
	return betterauth.CheckCallbackURL(referer, self, s.origins)
}
