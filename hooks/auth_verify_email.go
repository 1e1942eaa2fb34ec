package hooks

import (
	"errors"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/mails"
	"github.com/pocketbase/pocketbase/tools/security"

	"sokuji/internal/betterauth"
)

// verificationPage is where the link of PocketBase's own template leads.
const verificationPage = "/_/#/auth/confirm-verification/"

// authSendVerification mails a verification link. To a guest it answers the same
// whether the address is unknown, verified already or just got a mail.
func (s *server) authSendVerification(e *core.RequestEvent) error {
	if err := throttle(s.mail.requests, "send-verification-email", clientAddress(e)); err != nil {
		return err
	}
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return err
	}
	form, err := betterauth.DecodeSendVerification(contentType, body)
	if err != nil {
		return err
	}
	if err := betterauth.CheckCallbackURL(form.CallbackURL, s.ownOrigin(e), s.origins); err != nil {
		return err
	}
	if c := callerOf(e); c.kind == user {
		if err := checkOwnAddress(e.Auth, form.Email); err != nil {
			return err
		}
	}
	if record, err := e.App.FindAuthRecordByEmail(usersCollection, form.Email); err == nil && !record.Verified() {
		s.sendMail(verificationMail, record, s.verificationRoad(form.CallbackURL), mails.SendRecordVerification)
	}
	return writeAuthJSON(e, http.StatusOK, betterauth.StatusAnswer{Status: true})
}

// checkOwnAddress tells a signed-in user what a guest must not learn.
func checkOwnAddress(record *core.Record, email string) error {
	if record.Email() != email {
		return betterauth.ErrEmailMismatch
	}
	if record.Verified() {
		return betterauth.ErrEmailAlreadyVerified
	}
	return nil
}

// mailFirstVerification goes to somebody who has just signed up and may not sign in
// before the address is verified.
func (s *server) mailFirstVerification(record *core.Record, callbackURL *string) {
	next := ""
	if callbackURL != nil {
		next = *callbackURL
	}
	s.sendMail(verificationMail, record, s.verificationRoad(next), mails.SendRecordVerification)
}

func (s *server) verificationRoad(callbackURL string) mailRoad {
	return mailRoad{page: verificationPage, link: s.verifyEmailLink(callbackURL)}
}

// verifyEmailLink makes the link of a mail from its token; the library's clients
// end on the front page where they name no other.
func (s *server) verifyEmailLink(callbackURL string) func(token string) string {
	if callbackURL == "" {
		callbackURL = "/"
	}
	return func(token string) string {
		return s.mailLink("verify-email", "token", token, "callbackURL", callbackURL)
	}
}

// authVerifyEmail is where the links of verification mails lead, and those of the
// two mails about a change of address.
func (s *server) authVerifyEmail(e *core.RequestEvent) error {
	query := e.Request.URL.Query()
	token, callbackURL := query.Get("token"), query.Get("callbackURL")
	if err := betterauth.CheckCallbackURL(callbackURL, s.ownOrigin(e), s.origins); err != nil {
		return err
	}
	if !query.Has("token") {
		return betterauth.ValidationError("[query.token] Invalid input: expected string, received undefined")
	}
	changed, err := s.followMail(e, token, callbackURL)
	if refused, ok := errors.AsType[betterauth.Error](err); ok && callbackURL != "" {
		return redirectMailed(e, betterauth.WithQuery(callbackURL, "error", refused.Code))
	}
	if err != nil {
		return err
	}
	if callbackURL != "" {
		return redirectMailed(e, callbackURL)
	}
	return writeAuthJSON(e, http.StatusOK, betterauth.VerifiedAnswer{Status: true, User: changed})
}

// followMail does what a mail's token is for. It returns the user when their
// address changed.
func (s *server) followMail(e *core.RequestEvent, token, callbackURL string) (*betterauth.User, error) {
	switch tokenType(token) {
	case changeRequestToken:
		return nil, s.approveNewEmail(e, token, callbackURL)
	case changeConfirmToken:
		return s.confirmNewEmail(e, token)
	}
	record, err := s.userOfToken(token, core.TokenTypeVerification)
	if err != nil {
		return nil, err
	}
	return nil, verifyUser(e.App, record)
}

// verifyUser marks a user's address as proven. PocketBase's rule holds here too:
// where passwords are switched off, one that somebody may have set ends.
func verifyUser(app core.App, record *core.Record) error {
	if record.Verified() {
		return nil
	}
	record.SetVerified(true)
	if !record.Collection().PasswordAuth.Enabled {
		record.SetRandomPassword()
	}
	return saveIfSame(app, record, betterauth.ErrInvalidVerificationToken, func(core.App) error { return nil })
}

// userOfToken returns the user whom a token of PocketBase's was mailed to, if it is
// still good and the address still theirs.
func (s *server) userOfToken(token, kind string) (*core.Record, error) {
	record, err := s.app.FindAuthRecordByToken(token, kind)
	if err != nil {
		return nil, unusableToken(token)
	}
	claims, err := security.ParseUnverifiedJWT(token) // it was verified a moment ago
	if err != nil || record.Collection().Name != usersCollection || claims[core.TokenClaimEmail] != record.Email() {
		return nil, betterauth.ErrInvalidVerificationToken
	}
	return record, nil
}

// unusableToken says whether a token was refused for its age. It reads that from
// the token itself, which tells its owner nothing new.
func unusableToken(token string) error {
	claims, _ := security.ParseUnverifiedJWT(token) // an error says no more than that it expired
	if expires, err := claims.GetExpirationTime(); err == nil && expires != nil && !time.Now().Before(expires.Time) {
		return betterauth.ErrTokenExpired
	}
	return betterauth.ErrInvalidVerificationToken
}
