package hooks

import (
	"context"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/betterauth"
)

const sessionsCollection = "sessions"

// authListSessions shows the caller's living sessions.
func (s *server) authListSessions(e *core.RequestEvent) error {
	c, err := requireAuthUser(e)
	if err != nil {
		return err
	}
	sessions, err := s.sessions.List(e.Request.Context(), c.userID)
	if err != nil {
		return err
	}
	shown := make([]betterauth.Session, 0, len(sessions))
	for _, session := range sessions {
		token := session.ID
		if session.ID == c.session.ID {
			token = c.sessionToken
		}
		shown = append(shown, authSession(session, token))
	}
	return writeAuthJSON(e, http.StatusOK, shown)
}

// authRevokeSession ends one of the caller's sessions, named by its token or by
// what list-sessions showed in its place. Anything else does nothing, as in the
// library: the answer must not tell whose token it was.
func (s *server) authRevokeSession(e *core.RequestEvent) error {
	c, err := requireAuthUser(e)
	if err != nil {
		return err
	}
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return err
	}
	form, err := betterauth.DecodeRevoke(contentType, body)
	if err != nil {
		return err
	}
	ctx := e.Request.Context()
	id, err := s.sessionNamedBy(ctx, form.Token)
	if err != nil {
		return err
	}
	if err := s.sessions.End(ctx, c.userID, id); err != nil {
		return err
	}
	return s.writeEnded(e, c)
}

// sessionNamedBy is the id of the session that a token belongs to. What is no
// token of ours is taken for an id; whose session it is has not been looked at.
func (s *server) sessionNamedBy(ctx context.Context, token string) (string, error) {
	if facts, ok := readToken(token); ok {
		return facts.sessionID, nil
	}
	session, found, err := s.sessions.Find(ctx, token)
	if err != nil || found {
		return session.ID, err
	}
	return token, nil
}

// authRevokeSessions ends all of the caller's sessions, this one included.
func (s *server) authRevokeSessions(e *core.RequestEvent) error {
	c, err := requireAuthUser(e)
	if err != nil {
		return err
	}
	if err := s.sessions.EndAll(e.Request.Context(), c.userID); err != nil {
		return err
	}
	return s.writeEnded(e, c)
}

// authRevokeOtherSessions ends all of the caller's sessions but this one.
func (s *server) authRevokeOtherSessions(e *core.RequestEvent) error {
	c, err := requireAuthUser(e)
	if err != nil {
		return err
	}
	if err := s.sessions.EndOthers(e.Request.Context(), c.userID, c.session.ID); err != nil {
		return err
	}
	return s.writeEnded(e, c)
}

func (s *server) writeEnded(e *core.RequestEvent, c caller) error {
	if err := s.silenceEnded(e.Request.Context(), c.userID); err != nil {
		return err
	}
	return writeAuthJSON(e, http.StatusOK, map[string]bool{"status": true})
}

// endSessions ends what a new token key has ended already for good: the rows go,
// and who listens hears nothing any more.
func (s *server) endSessions(ctx context.Context, userID string) error {
	if err := s.sessions.EndAll(ctx, userID); err != nil {
		return err
	}
	return s.silenceEnded(ctx, userID)
}
