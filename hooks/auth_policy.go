package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/betterauth"
)

// What an admin sets on the users collection holds on both roads. Where Better
// Auth's wire cannot carry out a rule, its road is closed: PocketBase's is open.
var (
	errSignUpClosed = betterauth.Error{
		Status: http.StatusBadRequest, Code: "EMAIL_PASSWORD_SIGN_UP_DISABLED", Message: "Email and password sign up is not enabled",
	}
	errPasswordClosed = betterauth.Error{
		Status: http.StatusBadRequest, Code: "EMAIL_PASSWORD_DISABLED", Message: "Email and password is not enabled",
	}
	errNotVerified = betterauth.Error{
		Status: http.StatusForbidden, Code: "EMAIL_NOT_VERIFIED", Message: "Email not verified",
	}
	errMayNotSignIn = betterauth.Error{
		Status: http.StatusForbidden, Code: "FORBIDDEN", Message: "This account may not sign in here",
	}
)

// maySignUp refuses when an admin closed sign-up, or put conditions on it that
// only PocketBase's own route can check.
func maySignUp(users *core.Collection) error {
	if users.CreateRule == nil || *users.CreateRule != "" {
		return errSignUpClosed
	}
	return mayUsePasswords(users)
}

// mayUsePasswords refuses when passwords are off, and when a second factor is
// demanded: Better Auth's sign-in has no place for one.
func mayUsePasswords(users *core.Collection) error {
	if !users.PasswordAuth.Enabled || users.MFA.Enabled {
		return errPasswordClosed
	}
	return nil
}

// maySignIn checks the collection's rule for signing in, such as "verified users
// only".
func maySignIn(e *core.RequestEvent, record *core.Record) error {
	request, err := e.RequestInfo()
	if err != nil {
		return err
	}
	allowed, err := e.App.CanAccessRecord(record, request, record.Collection().AuthRule)
	if err != nil {
		return err
	}
	if allowed {
		return nil
	}
	if !record.Verified() {
		return errNotVerified
	}
	return errMayNotSignIn
}
