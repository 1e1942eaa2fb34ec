package hooks

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
	"sokuji/internal/betterauth"
)

// checkAuthOrigin is Better Auth's check: a request with any cookie must say
// where it comes from, whether the cookie is used or not.
func (s *server) checkAuthOrigin(e *core.RequestEvent) error {
	if err := betterauth.CheckOrigin(e.Request, s.ownOrigin(e), s.origins); err != nil {
		return err
	}
	return e.Next()
}

func writeAuthJSON(e *core.RequestEvent, status int, value any) error {
	body, err := betterauth.Encode(value)
	if err != nil {
		return err
	}
	return e.Blob(status, "application/json", body)
}

// startSession opens a session for a user who has just proven who they are, and
// hands it out as a cookie and as the header for bearer clients.
func (s *server) startSession(e *core.RequestEvent, record *core.Record, rememberMe *bool) (string, error) {
	remember := rememberMe == nil || *rememberMe
	owner := accounts.Owner{ID: record.Id, TokenKey: record.TokenKey()}
	client := accounts.Client{IPAddress: clientAddress(e), UserAgent: e.Request.UserAgent()}
	token, _, err := s.sessions.Create(e.Request.Context(), owner, client, remember)
	if err != nil {
		return "", err
	}
	s.handOut(e, token, remember)
	return token, nil
}

// setSessionCookie hands a session that goes on out again, to a browser that was
// asked to forget it as such: also a session of an earlier backend, whose mark is
// in the browser alone.
func (s *server) setSessionCookie(e *core.RequestEvent, token string, session accounts.Session) {
	s.handOut(e, token, session.Remember && !betterauth.AsksNotToRemember(s.secrets, e.Request))
}

// handOut sends the session as the header for bearer clients, and as a cookie to
// whoever may keep one.
func (s *server) handOut(e *core.RequestEvent, token string, remember bool) {
	signed, header := betterauth.Sign(s.secrets[0], token), e.Response.Header()
	if betterauth.MayKeepCookie(e.Request, s.ownOrigin(e), s.origins) {
		s.setCookies(e, signed, remember)
	}
	header.Set("set-auth-token", signed)
	if header.Get("Access-Control-Expose-Headers") == "" {
		header.Set("Access-Control-Expose-Headers", "set-auth-token")
	}
}

// setCookies sends the session's cookie, and the mark of one that ends with the
// browser.
func (s *server) setCookies(e *core.RequestEvent, signed string, remember bool) {
	header, secure := e.Response.Header(), s.secure(e)
	maxAge := 0 // ends with the browser
	if remember {
		maxAge = int(accounts.SessionLifetime / time.Second)
	}
	header.Add("Set-Cookie", betterauth.SessionCookie(secure, signed, maxAge))
	switch {
	case !remember:
		header.Add("Set-Cookie", betterauth.DontRemember(secure, s.secrets[0]))
	case betterauth.AsksNotToRemember(s.secrets, e.Request):
		header.Add("Set-Cookie", betterauth.ExpiredDontRemember(secure))
	}
}

// expireCookies makes a browser forget the session. On https it may also have
// cookies from before the move there, under the plain names.
func (s *server) expireCookies(e *core.RequestEvent) {
	cookies := betterauth.ExpiredCookies(false)
	if s.secure(e) {
		cookies = append(betterauth.ExpiredCookies(true), cookies...)
	}
	for _, cookie := range cookies {
		e.Response.Header().Add("Set-Cookie", cookie)
	}
}

// authUser is a user as Better Auth shows one.
func authUser(record *core.Record) betterauth.User {
	shown := betterauth.User{
		Name:          record.GetString("name"),
		Email:         record.Email(),
		EmailVerified: record.Verified(),
		CreatedAt:     betterauth.Time(record.GetDateTime("created").Time()),
		UpdatedAt:     betterauth.Time(record.GetDateTime("updated").Time()),
		ID:            record.Id,
	}
	if image := record.GetString("image"); image != "" {
		shown.Image = &image
	}
	return shown
}

// authSession is a session as Better Auth shows one. Only the caller's own comes
// with its token; the others get their id, which revoke-session takes instead.
func authSession(session accounts.Session, token string) betterauth.Session {
	return betterauth.Session{
		ExpiresAt: betterauth.Time(session.ExpiresAt),
		Token:     token,
		CreatedAt: betterauth.Time(session.CreatedAt),
		UpdatedAt: betterauth.Time(session.UpdatedAt),
		IPAddress: session.IPAddress,
		UserAgent: session.UserAgent,
		UserID:    session.UserID,
		ID:        session.ID,
	}
}

// requireAuthUser admits a signed-in user on Better Auth's routes.
func requireAuthUser(e *core.RequestEvent) (caller, error) {
	c := callerOf(e)
	if c.kind != user {
		return c, betterauth.ErrUnauthorized
	}
	return c, nil
}

// readAuthBody reads the body, and says in which form it came.
func readAuthBody(e *core.RequestEvent) (body []byte, contentType string, err error) {
	body, err = readBody(e, maxBodyBytes)
	return body, e.Request.Header.Get("Content-Type"), err
}
