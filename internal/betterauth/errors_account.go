package betterauth

import "net/http"

// Errors of the routes on which users manage their own account. Three of them
// have no code, as in the library.
var (
	ErrNoFieldsToUpdate     = Error{http.StatusBadRequest, "No fields to update", ""}
	ErrEmailCannotBeUpdated = Error{http.StatusBadRequest, "Email can not be updated", "EMAIL_CAN_NOT_BE_UPDATED"}
	ErrEmailIsTheSame       = Error{http.StatusBadRequest, "Email is the same", ""}
	ErrEmailMismatch        = Error{http.StatusBadRequest, "Email mismatch", "EMAIL_MISMATCH"}
	ErrEmailAlreadyVerified = Error{http.StatusBadRequest, "Email is already verified", "EMAIL_ALREADY_VERIFIED"}
	ErrInvalidPassword      = Error{http.StatusBadRequest, "Invalid password", "INVALID_PASSWORD"}
	// ErrSessionExpired asks to sign in again, or for the password, before an act
	// that a stolen old session should not be enough for.
	ErrSessionExpired        = Error{http.StatusBadRequest, "Session expired. Re-authenticate to perform this action.", "SESSION_EXPIRED"}
	ErrResetPasswordDisabled = Error{http.StatusBadRequest, "Reset password isn't enabled", "RESET_PASSWORD_DISABLED"}
	ErrInvalidRedirectURL    = Error{http.StatusForbidden, "Invalid redirectURL", "INVALID_REDIRECT_URL"}
)

// The library answers an unusable token with another status on each route.
var (
	ErrInvalidResetToken        = Error{http.StatusBadRequest, "Invalid token", "INVALID_TOKEN"}
	ErrInvalidVerificationToken = Error{http.StatusUnauthorized, "Invalid token", "INVALID_TOKEN"}
	ErrTokenExpired             = Error{http.StatusUnauthorized, "Token expired", "TOKEN_EXPIRED"}
	ErrInvalidDeletionToken     = Error{http.StatusNotFound, "Invalid token", "INVALID_TOKEN"}
	// ErrInvalidUser is for a link that another user follows than the one it was
	// sent to.
	ErrInvalidUser = Error{http.StatusUnauthorized, "Invalid user", "INVALID_USER"}
)
