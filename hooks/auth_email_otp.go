package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
	"sokuji/internal/betterauth"
)

// authSignInOTP signs in by a mailed code, and signs up who is not there yet.
func (s *server) authSignInOTP(e *core.RequestEvent) error {
	if err := throttle(s.signInLimit, "sign-in-otp", clientAddress(e)); err != nil {
		return err
	}
	if err := betterauth.CheckFirstLogin(e.Request); err != nil {
		return err
	}
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return err
	}
	form, err := betterauth.DecodeSignInOTP(contentType, body)
	if err != nil {
		return err
	}
	record, err := s.findByCode(e, form)
	if err != nil {
		return err
	}
	if err := maySignIn(e, record); err != nil {
		return err
	}
	token, err := s.startSession(e, record, nil)
	if err != nil {
		return err
	}
	return writeAuthJSON(e, http.StatusOK, struct {
		Token string          `json:"token"`
		User  betterauth.User `json:"user"`
	}{token, authUser(record)})
}

// findByCode spends the code and returns the user whom it speaks for: an old one,
// one who just proved to be the owner of the address, or a new one.
func (s *server) findByCode(e *core.RequestEvent, form betterauth.SignInOTP) (*core.Record, error) {
	users, err := e.App.FindCachedCollectionByNameOrId(usersCollection)
	if err != nil {
		return nil, err
	}
	if err := maySignInByCode(users); err != nil {
		return nil, err
	}
	record, err := findByAddress(e.App, form.Email)
	if err != nil {
		return nil, err
	}
	if err := s.codes.try(e.Request.Context(), accounts.PurposeSignIn, form.Email, record, form.OTP, true); err != nil {
		return nil, err
	}
	switch {
	case record == nil:
		return createUserByCode(e.App, users, form)
	case !record.Verified():
		return record, s.claim(e, record)
	}
	return record, nil
}

// claim gives an account to who has proven its address. Whoever signed up with it
// before never did: their password, their sessions and their keys end here, as
// they do on PocketBase's road (user_claims.go).
func (s *server) claim(e *core.RequestEvent, record *core.Record) error {
	record.SetVerified(true)
	record.SetRandomPassword()
	if err := e.App.Save(record); err != nil {
		return err
	}
	return s.endSessions(e.Request.Context(), record.Id)
}

func createUserByCode(app core.App, users *core.Collection, form betterauth.SignInOTP) (*core.Record, error) {
	if maySignUpByCode(users) != nil {
		return nil, betterauth.ErrInvalidOTP // as for a code that was never sent
	}
	record := core.NewRecord(users)
	record.SetEmail(form.Email)
	record.SetVerified(true)
	record.SetRandomPassword()
	if form.Name != nil {
		record.Set("name", *form.Name)
	}
	if form.Image != nil {
		record.Set("image", *form.Image)
	}
	return record, authSaveError(app.Save(record))
}

// authCheckOTP tells whether a code is right and leaves it good.
func (s *server) authCheckOTP(e *core.RequestEvent) error {
	body, contentType, err := s.codeCheck(e, "check")
	if err != nil {
		return err
	}
	form, err := betterauth.DecodeCheckOTP(contentType, body)
	if err != nil {
		return err
	}
	record, err := findByAddress(e.App, form.Email)
	if err != nil {
		return err
	}
	err = s.codes.try(e.Request.Context(), accounts.Purpose(form.Type), form.Email, record, form.OTP, false)
	if err != nil {
		return err
	}
	return writeAuthJSON(e, http.StatusOK, map[string]bool{"success": true})
}

// authVerifyEmailOTP marks an address as its user's. It signs nobody in.
func (s *server) authVerifyEmailOTP(e *core.RequestEvent) error {
	body, contentType, err := s.codeCheck(e, "verify-email")
	if err != nil {
		return err
	}
	form, err := betterauth.DecodeVerifyEmailOTP(contentType, body)
	if err != nil {
		return err
	}
	record, err := s.spend(e, accounts.PurposeVerifyEmail, form.Email, form.OTP)
	if err != nil {
		return err
	}
	if !record.Verified() {
		record.SetVerified(true)
		if err := e.App.Save(record); err != nil {
			return err
		}
	}
	return writeAuthJSON(e, http.StatusOK, struct {
		Status bool            `json:"status"`
		Token  *string         `json:"token"`
		User   betterauth.User `json:"user"`
	}{true, nil, authUser(record)})
}

// authResetPasswordOTP sets a new password, which ends every session of the user.
// Who reads their mail is the owner of the address, so it is verified too.
func (s *server) authResetPasswordOTP(e *core.RequestEvent) error {
	body, contentType, err := s.codeCheck(e, "reset-password")
	if err != nil {
		return err
	}
	form, err := betterauth.DecodeResetOTP(contentType, body)
	if err != nil {
		return err
	}
	if err := s.mayResetPasswords(); err != nil {
		return err
	}
	record, err := s.spend(e, accounts.PurposeForgotten, form.Email, form.OTP)
	if err != nil {
		return err
	}
	record.SetVerified(true)
	if err := replacePassword(e.App, record, form.Password, betterauth.ErrInvalidOTP); err != nil {
		return err
	}
	if err := s.endSessions(e.Request.Context(), record.Id); err != nil {
		return err
	}
	return writeAuthJSON(e, http.StatusOK, map[string]bool{"success": true})
}

// codeCheck counts who tries a code, and reads the body.
func (s *server) codeCheck(e *core.RequestEvent, route string) (body []byte, contentType string, err error) {
	if err := throttle(s.codes.checks, route, clientAddress(e)); err != nil {
		return nil, "", err
	}
	return readAuthBody(e)
}

// spend uses up a code and returns the user with the address.
func (s *server) spend(e *core.RequestEvent, purpose accounts.Purpose, address, code string) (*core.Record, error) {
	record, err := findByAddress(e.App, address)
	if err != nil {
		return nil, err
	}
	if err := s.codes.try(e.Request.Context(), purpose, address, record, code, true); err != nil {
		return nil, err
	}
	if record == nil {
		return nil, betterauth.ErrInvalidOTP // a lucky guess at a code that nobody was sent
	}
	return record, nil
}
