package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"sokuji/internal/betterauth"
)

// socialOutcome is what came of a request that we made to PocketBase's own route
// for a browser. It travels with the request.
type socialOutcome struct {
	record  *core.Record
	isNew   bool
	fetched bool   // the provider has told who it is
	refusal string // why we refused, where it was us
	problem string // why there is no record, in the library's words
}

type socialOutcomeKey struct{}

func socialOutcomeOf(e *core.RequestEvent) (*socialOutcome, bool) {
	outcome, ok := e.Request.Context().Value(socialOutcomeKey{}).(*socialOutcome)
	return outcome, ok
}

// exchange lets PocketBase do all of it by its own route: fetch the user from the
// provider, find or make the account, link it by a verified address, check the
// collection's rules, run whatever hooks there are. The request is made within
// this process and carries none of the browser's credentials, so nobody's session
// gets linked. Only PocketBase's last step, handing out its own token, is left out.
func (s *server) exchange(e *core.RequestEvent, state betterauth.SocialState, code string) *socialOutcome {
	outcome := &socialOutcome{}
	body, err := json.Marshal(map[string]string{
		"provider": state.Provider, "code": code, "codeVerifier": state.Verifier, "redirectURL": state.RedirectURL,
	})
	if err != nil {
		outcome.problem = socialBroken
		return outcome
	}
	ctx := context.WithValue(e.Request.Context(), socialOutcomeKey{}, outcome)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "/api/collections/"+usersCollection+"/auth-with-oauth2", bytes.NewReader(body))
	if err != nil {
		outcome.problem = socialBroken
		return outcome
	}
	request.Header.Set("Content-Type", "application/json")
	request.Host, request.RemoteAddr, request.TLS = e.Request.Host, e.Request.RemoteAddr, e.Request.TLS
	for _, name := range append([]string{"User-Agent"}, e.App.Settings().TrustedProxy.Headers...) {
		if !isCredentialHeader(name) {
			request.Header[http.CanonicalHeaderKey(name)] = e.Request.Header.Values(name)
		}
	}
	recorder := httptest.NewRecorder()
	s.routes.ServeHTTP(recorder, request)
	if outcome.record == nil {
		outcome.problem = problemOf(outcome, recorder.Code)
	}
	return outcome
}

func isCredentialHeader(name string) bool {
	for _, credential := range []string{"Authorization", "Cookie", "X-Api-Key"} {
		if strings.EqualFold(name, credential) {
			return true
		}
	}
	return false
}

// bindSocial follows such a request through PocketBase's events.
func bindSocial(app core.App) {
	app.OnRecordAuthWithOAuth2Request(usersCollection).Bind(early(func(e *core.RecordAuthWithOAuth2RequestEvent) error {
		// Addresses are stored in lower case, and PocketBase compares as it is written.
		e.OAuth2User.Email = strings.ToLower(strings.TrimSpace(e.OAuth2User.Email))
		outcome, ok := socialOutcomeOf(e.RequestEvent)
		if !ok {
			return e.Next()
		}
		outcome.fetched, outcome.isNew = true, e.IsNewRecord
		if e.IsNewRecord && e.OAuth2User.Email == "" {
			outcome.refusal = socialNoEmail
			return apis.NewBadRequestError("", errSocialEmail)
		}
		return e.Next()
	}))
	app.OnRecordAuthRequest(usersCollection).Bind(&hook.Handler[*core.RecordAuthRequestEvent]{
		Id:       "sokujiSocial",
		Priority: -1_000,
		Func: func(e *core.RecordAuthRequestEvent) error {
			outcome, ok := socialOutcomeOf(e.RequestEvent)
			if !ok {
				return e.Next()
			}
			outcome.record = e.Record
			return nil
		},
	})
}
