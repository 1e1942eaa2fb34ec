package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/betterauth"
)

// authGetSession answers the caller's session and user, or null: never 401.
func (s *server) authGetSession(e *core.RequestEvent) error {
	header := e.Response.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Pragma", "no-cache")

	c := callerOf(e)
	if c.session.ID == "" {
		if s.presentsSession(e) {
			s.expireCookies(e)
		}
		return writeAuthJSON(e, http.StatusOK, nil)
	}
	return writeAuthJSON(e, http.StatusOK, betterauth.SessionAnswer{
		Session: authSession(c.session, c.sessionToken),
		User:    authUser(e.Auth),
	})
}

// presentsSession tells whether the request carries something that claims to be
// a session.
func (s *server) presentsSession(e *core.RequestEvent) bool {
	_, present, _ := betterauth.FromCookies(s.secrets, e.Request, s.secure(e))
	return present || e.Request.Header.Get("Authorization") != ""
}

func authOK(e *core.RequestEvent) error {
	return writeAuthJSON(e, http.StatusOK, map[string]bool{"ok": true})
}
