package hooks

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/auth"
	"github.com/pocketbase/pocketbase/tools/security"

	"sokuji/internal/betterauth"
)

const (
	socialCallbackPath = "/api/auth/callback/"
	// verifierLength is PKCE's shortest, in characters:
	// https://www.rfc-editor.org/rfc/rfc7636#section-4.1
	verifierLength = 43
)

var errSocialClosed = betterauth.Error{
	Status: http.StatusBadRequest, Code: "SOCIAL_SIGN_IN_DISABLED", Message: "Signing in by another service is not enabled",
}

// authSignInSocial answers where a browser has to go to sign in by another
// service, one of those that an admin set up on the users collection. The browser
// gets a sealed cookie that it has to come back with: a link that somebody else
// began is worth nothing to it.
func (s *server) authSignInSocial(e *core.RequestEvent) error {
	if err := throttle(s.signInLimit, "sign-in-social", clientAddress(e)); err != nil {
		return err
	}
	if err := betterauth.CheckFirstLogin(e.Request); err != nil {
		return err
	}
	form, err := s.socialForm(e)
	if err != nil {
		return err
	}
	provider, err := socialProvider(e.App, form.Provider)
	if err != nil {
		return err
	}
	if form.HasIDToken {
		return betterauth.ErrIDTokenUnsupported
	}
	state, err := s.newSocialState(e, form)
	if err != nil {
		return err
	}
	cookie, err := betterauth.NewStateCookie(rand.Reader, s.secrets[0], s.secure(e), state)
	if err != nil {
		return err
	}
	address, err := authorizationURL(provider, state, form.LoginHint)
	if err != nil {
		return err
	}
	header := e.Response.Header()
	header.Set("Cache-Control", "no-store")
	header.Add("Set-Cookie", cookie)
	if !form.DisableRedirect {
		header.Set("Location", address)
	}
	return writeAuthJSON(e, http.StatusOK, betterauth.SocialAnswer{URL: address, Redirect: !form.DisableRedirect})
}

func (s *server) socialForm(e *core.RequestEvent) (betterauth.SignInSocial, error) {
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return betterauth.SignInSocial{}, err
	}
	form, err := betterauth.DecodeSignInSocial(contentType, body)
	if err != nil {
		return betterauth.SignInSocial{}, err
	}
	return form, form.CheckURLs(s.ownOrigin(e), s.origins)
}

// socialProvider returns a provider as an admin configured it. A second factor
// closes this road, which has no place for one.
func socialProvider(app core.App, name string) (auth.Provider, error) {
	users, err := app.FindCachedCollectionByNameOrId(usersCollection)
	if err != nil {
		return nil, err
	}
	configured, found := users.OAuth2.GetProviderConfig(name)
	if !users.OAuth2.Enabled || !found {
		return nil, betterauth.ErrProviderNotFound
	}
	if users.MFA.Enabled {
		return nil, errSocialClosed
	}
	return configured.InitProvider()
}

func (s *server) newSocialState(e *core.RequestEvent, form betterauth.SignInSocial) (betterauth.SocialState, error) {
	token, err := betterauth.NewToken(rand.Reader)
	if err != nil {
		return betterauth.SocialState{}, err
	}
	return betterauth.SocialState{
		State:       token,
		Provider:    form.Provider,
		Verifier:    security.RandomString(verifierLength),
		RedirectURL: s.callbackOrigin(e) + socialCallbackPath + url.PathEscape(form.Provider),
		CallbackURL: form.CallbackURL,
		ErrorURL:    form.ErrorCallbackURL,
		NewUserURL:  form.NewUserCallbackURL,
		ExpiresAt:   time.Now().Unix() + betterauth.StateLifetimeSeconds,
	}, nil
}

// callbackOrigin is the address that the provider knows this server by.
func (s *server) callbackOrigin(e *core.RequestEvent) string {
	if s.public != "" {
		return s.public
	}
	return s.ownOrigin(e)
}

func authorizationURL(provider auth.Provider, state betterauth.SocialState, loginHint string) (string, error) {
	provider.SetRedirectURL(state.RedirectURL)
	address, err := url.Parse(provider.BuildAuthURL(state.State))
	if err != nil {
		return "", err
	}
	query := address.Query()
	if provider.PKCE() {
		query.Set("code_challenge", security.S256Challenge(state.Verifier))
		query.Set("code_challenge_method", "S256")
	}
	if state.Provider == auth.NameApple {
		query.Set("response_mode", "form_post") // Apple's condition for telling the address
	}
	if loginHint != "" {
		query.Set("login_hint", loginHint)
	}
	address.RawQuery = query.Encode()
	return address.String(), nil
}
