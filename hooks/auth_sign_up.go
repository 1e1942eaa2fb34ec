package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/betterauth"
)

// authSignUp makes a user and signs them in.
func (s *server) authSignUp(e *core.RequestEvent) error {
	if err := throttle(s.signInLimit, "sign-up", e.RealIP()); err != nil {
		return err
	}
	if err := betterauth.CheckFirstLogin(e.Request); err != nil {
		return err
	}
	form, err := s.signUpForm(e)
	if err != nil {
		return err
	}
	record, err := createUser(e.App, form)
	if err != nil {
		return err
	}
	token, err := s.startSession(e, record, form.RememberMe)
	if err != nil {
		return err
	}
	return writeAuthJSON(e, http.StatusOK, betterauth.SignUpAnswer{Token: token, User: authUser(record)})
}

func createUser(app core.App, form betterauth.SignUp) (*core.Record, error) {
	if userExists(app, form.Email) {
		return nil, betterauth.ErrUserAlreadyExists
	}
	users, err := app.FindCachedCollectionByNameOrId(usersCollection)
	if err != nil {
		return nil, err
	}
	record := core.NewRecord(users)
	record.SetEmail(form.Email)
	record.Set("name", form.Name)
	if form.Image != nil {
		record.Set("image", *form.Image)
	}
	scrypt, err := choosePassword(record, form.Password)
	if err != nil {
		return nil, err
	}
	err = app.RunInTransaction(func(tx core.App) error {
		if err := tx.Save(record); err != nil || scrypt == "" {
			return err
		}
		return setScryptHash(tx, record.Id, scrypt)
	})
	if err != nil && userExists(app, form.Email) {
		return nil, betterauth.ErrUserAlreadyExists // another request was faster
	}
	return record, err
}

func userExists(app core.App, email string) bool {
	_, err := app.FindAuthRecordByEmail(usersCollection, email)
	return err == nil
}

func (s *server) signUpForm(e *core.RequestEvent) (betterauth.SignUp, error) {
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return betterauth.SignUp{}, err
	}
	form, err := betterauth.DecodeSignUp(contentType, body)
	if err != nil || form.CallbackURL == nil {
		return form, err
	}
	return form, betterauth.CheckCallbackURL(*form.CallbackURL, s.ownOrigin(e), s.origins)
}
