package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
	"sokuji/internal/betterauth"
)

// authUpdateUser changes the caller's name and picture, and nothing else, whatever
// else the body names.
func (s *server) authUpdateUser(e *core.RequestEvent) error {
	c, err := requireAuthUser(e)
	if err != nil {
		return err
	}
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return err
	}
	form, err := betterauth.DecodeUpdateUser(contentType, body)
	if err != nil {
		return err
	}
	if err := updateUser(e.App, c.userID, form); err != nil {
		return err
	}
	if c.session.Kind == accounts.BetterAuth {
		s.setSessionCookie(e, c.sessionToken, c.session) // as the library does
	}
	return writeAuthJSON(e, http.StatusOK, betterauth.StatusAnswer{Status: true})
}

// updateUser reads the user inside the transaction that writes it: PocketBase
// writes every column.
func updateUser(app core.App, userID string, form betterauth.UpdateUser) error {
	return app.RunInTransaction(func(tx core.App) error {
		record, err := tx.FindRecordById(usersCollection, userID)
		if err != nil {
			return err
		}
		if form.Name != nil {
			record.Set("name", *form.Name)
		}
		if form.Image != nil {
			record.Set("image", *form.Image)
		}
		return authSaveError(tx.Save(record))
	})
}
