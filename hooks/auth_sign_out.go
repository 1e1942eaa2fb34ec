package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"
)

// authSignOut ends the caller's session, and only that one, before it answers.
// Without a session there is nothing to end, which is a success too.
func (s *server) authSignOut(e *core.RequestEvent) error {
	c := callerOf(e)
	if c.session.ID != "" {
		ctx := e.Request.Context()
		if err := s.sessions.End(ctx, c.userID, c.session.ID); err != nil {
			return err
		}
		if err := s.silenceEnded(ctx, c.userID); err != nil {
			return err
		}
	}
	s.expireCookies(e)
	return writeAuthJSON(e, http.StatusOK, map[string]bool{"success": true})
}
