package hooks

import (
	"context"
	"errors"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
	"sokuji/internal/betterauth"
)

// authOneTimeToken gives out a token that stands for the caller's session, once.
// A caller with a PocketBase token has no session that a cookie could carry.
func (s *server) authOneTimeToken(e *core.RequestEvent) error {
	c, err := requireAuthUser(e)
	if err != nil {
		return err
	}
	if !betterauth.IsRawToken(c.sessionToken) {
		return betterauth.ErrUnauthorized
	}
	token, err := s.codes.NewOneTimeToken(e.Request.Context(), c.session, c.sessionToken)
	if err != nil {
		return err
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return writeAuthJSON(e, http.StatusOK, map[string]string{"token": token})
}

// authVerifyOneTimeToken signs the caller in to the session of a token.
func (s *server) authVerifyOneTimeToken(e *core.RequestEvent) error {
	if err := betterauth.CheckFirstLogin(e.Request); err != nil {
		return err
	}
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return err
	}
	token, err := betterauth.DecodeOneTimeToken(contentType, body)
	if err != nil {
		return err
	}
	session, sessionToken, err := s.useOneTimeToken(e.Request.Context(), token)
	if err != nil {
		return err
	}
	record, err := s.authRecord(recordKey{usersCollection, session.UserID})
	if err != nil {
		return err
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	s.setSessionCookie(e, sessionToken, session)
	return writeAuthJSON(e, http.StatusOK, betterauth.SessionAnswer{
		Session: authSession(session, sessionToken),
		User:    authUser(record),
	})
}

// useOneTimeToken spends a token and returns the session it stands for, alive.
// Errors: ErrInvalidToken, ErrSessionNotFound of betterauth.
func (s *server) useOneTimeToken(ctx context.Context, token string) (accounts.Session, string, error) {
	sessionToken, err := s.codes.UseOneTimeToken(ctx, token)
	if errors.Is(err, accounts.ErrTokenInvalid) {
		return accounts.Session{}, "", betterauth.ErrInvalidToken
	}
	if err != nil {
		return accounts.Session{}, "", err
	}
	session, found, err := s.sessions.Find(ctx, sessionToken)
	if err == nil && !found {
		err = betterauth.ErrSessionNotFound
	}
	return session, sessionToken, err
}
