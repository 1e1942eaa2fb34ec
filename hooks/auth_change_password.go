package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/betterauth"
)

// authChangePassword gives the caller another password. Whether the body asks for
// it or not, all sessions of both roads end with the old one, and the caller gets
// a fresh session: whoever changes a password may do so because somebody else
// knows it.
func (s *server) authChangePassword(e *core.RequestEvent) error {
	if err := throttle(s.signInLimit, "change-password", clientAddress(e)); err != nil {
		return err
	}
	c, err := requireAuthUser(e)
	if err != nil {
		return err
	}
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return err
	}
	form, err := betterauth.DecodeChangePassword(contentType, body)
	if err != nil {
		return err
	}
	record, err := s.provePassword(e, c, form.CurrentPassword)
	if err != nil {
		return err
	}
	if err := replacePassword(e.App, record, form.NewPassword, betterauth.ErrInvalidPassword); err != nil {
		return err
	}
	remember := c.session.ID == "" || c.session.Remember
	token, err := s.replaceSessions(e, record, remember)
	if err != nil {
		return err
	}
	return writeAuthJSON(e, http.StatusOK, betterauth.ChangePasswordAnswer{Token: &token, User: authUser(record)})
}

// provePassword returns the caller's record, as new as can be, if the password is
// theirs. Guesses are counted by user too: a stolen session must not become a
// password by trying from many addresses.
func (s *server) provePassword(e *core.RequestEvent, c caller, plain string) (*core.Record, error) {
	if err := throttle(s.signInLimit, "prove-password", c.userID); err != nil {
		return nil, err
	}
	record, err := e.App.FindRecordById(usersCollection, c.userID)
	if err != nil {
		return nil, err
	}
	if !record.Collection().PasswordAuth.Enabled {
		return nil, errPasswordClosed
	}
	right, err := checkPassword(e.App, record, plain)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, betterauth.ErrInvalidPassword
	}
	return record, nil
}

// replaceSessions takes away what is left of a user's sessions after their token
// key changed, and opens a new one for this client.
func (s *server) replaceSessions(e *core.RequestEvent, record *core.Record, remember bool) (string, error) {
	if err := s.endSessions(e.Request.Context(), record.Id); err != nil {
		return "", err
	}
	return s.startSession(e, record, &remember)
}
