package hooks

import (
	"errors"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
	"sokuji/internal/betterauth"
)

// freshSession is how young a session must be to delete its user without the
// password: the library's default.
const freshSession = 24 * time.Hour

// authDeleteUser deletes the caller, by the password or by a young session: one
// that somebody found open must not be enough.
func (s *server) authDeleteUser(e *core.RequestEvent) error {
	c, err := requireAuthUser(e)
	if err != nil {
		return err
	}
	form, err := s.deleteUserForm(e)
	if err != nil {
		return err
	}
	record, err := s.mayDelete(e, c, form)
	if err != nil {
		return err
	}
	record.SetRaw(deletedByKey, c.actor())
	if err := e.App.Delete(record); err != nil {
		return err
	}
	s.expireCookies(e)
	return writeAuthJSON(e, http.StatusOK, betterauth.DeletedAnswer{Success: true, Message: "User deleted"})
}

func (s *server) deleteUserForm(e *core.RequestEvent) (betterauth.DeleteUser, error) {
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return betterauth.DeleteUser{}, err
	}
	form, err := betterauth.DecodeDeleteUser(contentType, body)
	if err != nil {
		return form, err
	}
	return form, betterauth.CheckCallbackURL(form.CallbackURL, s.ownOrigin(e), s.origins)
}

// mayDelete returns the caller's record. This server mails no tokens for deleting,
// so it takes none.
func (s *server) mayDelete(e *core.RequestEvent, c caller, form betterauth.DeleteUser) (*core.Record, error) {
	if form.Password != "" {
		record, err := s.provePassword(e, c, form.Password)
		if err != nil || form.Token == "" {
			return record, err
		}
	}
	if form.Token != "" {
		return nil, betterauth.ErrInvalidDeletionToken
	}
	if form.Password == "" && !isFresh(c.session, time.Now()) {
		return nil, betterauth.ErrSessionExpired
	}
	record, err := e.App.FindRecordById(usersCollection, c.userID)
	if err != nil {
		return nil, errors.Join(betterauth.ErrUnauthorized, err)
	}
	return record, nil
}

func isFresh(session accounts.Session, now time.Time) bool {
	return session.ID != "" && now.Sub(session.CreatedAt) < freshSession
}
