package hooks

import (
	"net/http"
	"net/url"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/mails"

	"sokuji/internal/betterauth"
)

// resetPage is where the link of PocketBase's own template leads.
const resetPage = "/_/#/auth/confirm-password-reset/"

// authRequestPasswordReset mails a link to whoever has the address, and answers
// the same if nobody has.
//
// The token in the link is PocketBase's own, valid on both roads: signed with the
// user's token key, it dies with the first new password, a new address or an
// admin's "invalidate all tokens", and there is nothing to store.
func (s *server) authRequestPasswordReset(e *core.RequestEvent) error {
	if err := throttle(s.mail.requests, "request-password-reset", clientAddress(e)); err != nil {
		return err
	}
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return err
	}
	form, err := betterauth.DecodeRequestReset(contentType, body)
	if err != nil {
		return err
	}
	if err := betterauth.CheckRedirectTo(form.RedirectTo, s.ownOrigin(e), s.origins); err != nil {
		return err
	}
	if err := s.mayResetPasswords(); err != nil {
		return err
	}
	if record, err := e.App.FindAuthRecordByEmail(usersCollection, form.Email); err == nil {
		s.sendMail(resetMail, record, s.resetRoad(form.RedirectTo), mails.SendRecordPasswordReset)
	}
	return writeAuthJSON(e, http.StatusOK, betterauth.ResetRequested)
}

// resetRoad leads to the page that asks for the new password. A client that names
// none gets PocketBase's, which every server has.
func (s *server) resetRoad(redirectTo string) mailRoad {
	if redirectTo == "" {
		return mailRoad{page: resetPage, link: func(token string) string {
			return s.app.Settings().Meta.AppURL + resetPage + token
		}}
	}
	return mailRoad{page: resetPage, link: func(token string) string {
		return s.mailLink("reset-password/"+url.PathEscape(token), "callbackURL", redirectTo)
	}}
}

// authResetPasswordPage sends a browser that follows the mail's link on to the
// page that asks for the new password, with the token or with an error.
func (s *server) authResetPasswordPage(e *core.RequestEvent) error {
	token, query := e.Request.PathValue("token"), e.Request.URL.Query()
	e.Request.URL.Path, e.Request.URL.RawPath = "/api/auth/reset-password/{token}", "" // what the request log may see
	page := query.Get("callbackURL")
	if page == "" {
		return betterauth.ValidationError("[query.callbackURL] Invalid input: expected string, received undefined")
	}
	if err := betterauth.CheckCallbackURL(page, s.ownOrigin(e), s.origins); err != nil {
		return err
	}
	if _, err := s.userOfToken(token, core.TokenTypePasswordReset); err != nil {
		return redirectMailed(e, betterauth.WithQuery(page, "error", betterauth.ErrInvalidResetToken.Code))
	}
	return redirectMailed(e, betterauth.WithQuery(page, "token", token))
}

// authResetPassword sets a new password by the token of a mail, which ends all
// sessions of both roads. Whoever has the token reads the user's mail, so the
// address is verified from then on, as on PocketBase's road.
func (s *server) authResetPassword(e *core.RequestEvent) error {
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return err
	}
	form, err := betterauth.DecodeResetPassword(contentType, body, e.Request.URL.Query().Get("token"))
	if err != nil {
		return err
	}
	if err := s.mayResetPasswords(); err != nil {
		return err
	}
	record, err := s.userOfToken(form.Token, core.TokenTypePasswordReset)
	if err != nil {
		return betterauth.ErrInvalidResetToken
	}
	record.SetVerified(true)
	if err := replacePassword(e.App, record, form.NewPassword, betterauth.ErrInvalidResetToken); err != nil {
		return err
	}
	if err := s.endSessions(e.Request.Context(), record.Id); err != nil {
		return err
	}
	return writeAuthJSON(e, http.StatusOK, betterauth.StatusAnswer{Status: true})
}

// mayResetPasswords refuses when an admin has switched passwords off.
func (s *server) mayResetPasswords() error {
	users, err := s.app.FindCachedCollectionByNameOrId(usersCollection)
	if err != nil {
		return err
	}
	if !users.PasswordAuth.Enabled {
		return betterauth.ErrResetPasswordDisabled
	}
	return nil
}

// redirectMailed sends a browser on. The address that it comes from has a token in
// it, so nobody may keep it or pass it on.
func redirectMailed(e *core.RequestEvent, address string) error {
	header := e.Response.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	return e.Redirect(http.StatusFound, address)
}
