package hooks

import (
	"errors"
	"net/http"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/betterauth"
)

// authSignUp makes a user and signs them in.
func (s *server) authSignUp(e *core.RequestEvent) error {
	if err := throttle(s.signInLimit, "sign-up", clientAddress(e)); err != nil {
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
	if errors.Is(err, betterauth.ErrUserAlreadyExists) {
		return s.refuseTakenAddress(e, form)
	}
	if err != nil {
		return err
	}
	answer := betterauth.SignUpAnswer{User: authUser(record)}
	if err := maySignIn(e, record); err != nil {
		if _, ok := errors.AsType[betterauth.Error](err); ok { // to be verified first, as the library does it
			s.mailFirstVerification(record, form.CallbackURL)
			return writeAuthJSON(e, http.StatusOK, answer)
		}
		return err
	}
	token, err := s.startSession(e, record, form.RememberMe)
	if err != nil {
		return err
	}
	answer.Token = &token
	return writeAuthJSON(e, http.StatusOK, answer)
}

func createUser(app core.App, form betterauth.SignUp) (*core.Record, error) {
	users, err := app.FindCachedCollectionByNameOrId(usersCollection)
	if err != nil {
		return nil, err
	}
	if err := maySignUp(users); err != nil {
		return nil, err
	}
	if userExists(app, form.Email) {
		return nil, betterauth.ErrUserAlreadyExists
	}
	record := core.NewRecord(users)
	record.SetEmail(form.Email)
	record.Set("name", form.Name)
	if form.Image != nil {
		record.Set("image", *form.Image)
	}
	record.SetPassword(form.Password)
	err = app.Save(record)
	if err != nil && userExists(app, form.Email) {
		return nil, betterauth.ErrUserAlreadyExists // another request was faster
	}
	if invalid, ok := errors.AsType[validation.Errors](err); ok {
		return nil, betterauth.ValidationError("[body] " + invalid.Error())
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
