package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
	"sokuji/internal/betterauth"
)

// authSendOTP mails a code. The answer is the same for every address.
func (s *server) authSendOTP(e *core.RequestEvent) error {
	body, contentType, err := s.codeRequest(e)
	if err != nil {
		return err
	}
	form, err := betterauth.DecodeSendOTP(contentType, body)
	if err != nil {
		return err
	}
	return s.sendCode(e, form.Email, accounts.Purpose(form.Type))
}

// authSendResetOTP mails a code for a new password: an older and a newer name for
// one type of send-verification-otp.
func (s *server) authSendResetOTP(e *core.RequestEvent) error {
	body, contentType, err := s.codeRequest(e)
	if err != nil {
		return err
	}
	address, err := betterauth.DecodeOTPAddress(contentType, body)
	if err != nil {
		return err
	}
	return s.sendCode(e, address, accounts.PurposeForgotten)
}

// codeRequest counts who asks for a code, and reads the body.
func (s *server) codeRequest(e *core.RequestEvent) (body []byte, contentType string, err error) {
	if err := throttle(s.codes.sends, "ip", clientAddress(e)); err != nil {
		return nil, "", err
	}
	if err := betterauth.CheckFirstLogin(e.Request); err != nil {
		return nil, "", err
	}
	return readAuthBody(e)
}

// sendCode stores a code for every address, and mails it where there is somebody
// to get it. A stored code that nobody was sent makes guessing at an address
// without an account look the same as at one with.
func (s *server) sendCode(e *core.RequestEvent, address string, purpose accounts.Purpose) error {
	if err := throttle(s.codes.sends, "address", address); err != nil {
		return err
	}
	users, err := e.App.FindCachedCollectionByNameOrId(usersCollection)
	if err != nil {
		return err
	}
	record, err := findByAddress(e.App, address)
	if err != nil {
		return err
	}
	release, err := s.codes.reserveMail()
	if err != nil {
		return err
	}
	code, err := s.codes.NewCode(e.Request.Context(), purpose, address, ownerOf(record))
	if err != nil {
		release()
		return err
	}
	if mayGetCode(users, record, purpose) {
		s.mailCode(recipient(users, record, address), code, release)
	} else {
		release()
	}
	return writeAuthJSON(e, http.StatusOK, map[string]bool{"success": true})
}

// mayGetCode tells whether there is any use for the code. Somebody unknown gets
// one only to sign up with.
func mayGetCode(users *core.Collection, record *core.Record, purpose accounts.Purpose) bool {
	switch purpose {
	case accounts.PurposeSignIn:
		return maySignInByCode(users) == nil && (record != nil || maySignUpByCode(users) == nil)
	case accounts.PurposeForgotten:
		return record != nil && users.PasswordAuth.Enabled
	}
	return record != nil
}

// maySignInByCode refuses where an admin turned codes off, and where a second
// factor is demanded: this road has no place for one.
func maySignInByCode(users *core.Collection) error {
	if !users.OTP.Enabled || users.MFA.Enabled {
		return errCodesClosed
	}
	return nil
}

// maySignUpByCode refuses when an admin closed sign-up, or put conditions on it
// that only PocketBase's own route can check.
func maySignUpByCode(users *core.Collection) error {
	if users.CreateRule == nil || *users.CreateRule != "" {
		return errSignUpClosed
	}
	return nil
}
