package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/mails"

	"sokuji/internal/betterauth"
)

// changeEmailPage is where the link of PocketBase's own template leads.
const changeEmailPage = "/_/#/auth/confirm-email-change/"

// authChangeEmail mails a link with which the caller's address changes. A user with
// a verified address approves by a link sent there, before the new one is asked:
// a stolen session is not enough to move an account to another mailbox. An address
// that somebody has already gets no mail, and the same answer.
func (s *server) authChangeEmail(e *core.RequestEvent) error {
	if err := throttle(s.signInLimit, "change-email", clientAddress(e)); err != nil {
		return err
	}
	c, err := requireAuthUser(e)
	if err != nil {
		return err
	}
	form, err := s.changeEmailForm(e)
	if err != nil {
		return err
	}
	record, err := e.App.FindRecordById(usersCollection, c.userID)
	if err != nil {
		return err
	}
	if form.NewEmail == record.Email() {
		return betterauth.ErrEmailIsTheSame
	}
	if !userExists(e.App, form.NewEmail) {
		if err := s.mailNewEmail(record, form); err != nil {
			return err
		}
	}
	return writeAuthJSON(e, http.StatusOK, betterauth.StatusAnswer{Status: true})
}

func (s *server) changeEmailForm(e *core.RequestEvent) (betterauth.ChangeEmail, error) {
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return betterauth.ChangeEmail{}, err
	}
	form, err := betterauth.DecodeChangeEmail(contentType, body)
	if err != nil || form.CallbackURL == nil {
		return form, err
	}
	return form, betterauth.CheckCallbackURL(*form.CallbackURL, s.ownOrigin(e), s.origins)
}

// mailNewEmail sends the first of the two mails, or the second where there is no
// verified address to ask at.
func (s *server) mailNewEmail(record *core.Record, form betterauth.ChangeEmail) error {
	callbackURL := ""
	if form.CallbackURL != nil {
		callbackURL = *form.CallbackURL
	}
	if !record.Verified() {
		return s.mailConfirmation(record, form.NewEmail, callbackURL)
	}
	token, err := newEmailToken(record, changeRequestToken, form.NewEmail)
	if err != nil {
		return err
	}
	s.sendChangeMail(record, form.NewEmail, mailRoad{token: token, to: record.Email(), link: s.verifyEmailLink(callbackURL)})
	return nil
}

// mailConfirmation asks at the new address.
func (s *server) mailConfirmation(record *core.Record, newEmail, callbackURL string) error {
	token, err := newEmailToken(record, changeConfirmToken, newEmail)
	if err != nil {
		return err
	}
	s.sendChangeMail(record, newEmail, mailRoad{token: token, link: s.verifyEmailLink(callbackURL)})
	return nil
}

func (s *server) sendChangeMail(record *core.Record, newEmail string, road mailRoad) {
	road.page = changeEmailPage
	s.sendMail(changeEmailMail, record, road, func(app core.App, record *core.Record) error {
		return mails.SendRecordChangeEmail(app, record, newEmail)
	})
}

// approveNewEmail follows the link sent to the old address: now the new one is
// asked.
func (s *server) approveNewEmail(e *core.RequestEvent, token, callbackURL string) error {
	record, newEmail, err := s.userOfEmailToken(e, token, changeRequestToken)
	if err != nil || userExists(e.App, newEmail) {
		return err
	}
	return s.mailConfirmation(record, newEmail, callbackURL)
}

// confirmNewEmail follows the link sent to the new address. PocketBase replaces the
// token key with the address, which ends all sessions and this token; a browser
// that is signed in gets a fresh session.
func (s *server) confirmNewEmail(e *core.RequestEvent, token string) (*betterauth.User, error) {
	record, newEmail, err := s.userOfEmailToken(e, token, changeConfirmToken)
	if err != nil {
		return nil, err
	}
	if userExists(e.App, newEmail) {
		return nil, betterauth.ErrUserAlreadyExists
	}
	record.SetEmail(newEmail)
	record.SetVerified(true)
	if err := saveIfSame(e.App, record, betterauth.ErrInvalidVerificationToken, func(core.App) error { return nil }); err != nil {
		return nil, err
	}
	if c := callerOf(e); c.kind == user && c.viaCookie {
		if _, err := s.replaceSessions(e, record, c.session.Remember); err != nil {
			return nil, err
		}
	}
	changed := authUser(record)
	return &changed, nil
}
