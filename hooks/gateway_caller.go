package hooks

import (
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
)

// requireGatewayCaller admits keys with the scope gateway, and signed-in users.
func requireGatewayCaller(e *core.RequestEvent) (caller, error) {
	c := callerOf(e)
	switch c.kind {
	case user:
		return c, nil
	case apiKey:
		if !c.grant.Scopes.Has(apikeys.ScopeGateway) {
			return c, missingScope(apikeys.ScopeGateway)
		}
		return c, nil
	case superuser:
		return c, forbidden("A superuser has no wallet that could pay for this: use an API key, or sign in as a user.")
	}
	return c, &refusal{
		status: http.StatusUnauthorized, code: "invalid_api_key", title: "Unauthorized",
		message: "This API key is missing or not valid: send one that starts with " + apikeys.KeyPrefix + " as Authorization: Bearer, or as x-api-key.",
	}
}

// stillAdmitted tells whether the credential that opened a call would open it now.
func (s *server) stillAdmitted(e *core.RequestEvent, c caller) bool {
	if c.kind != apiKey {
		return true // a session's end does not cut what it began
	}
	for _, text := range []string{authorizationValue(e.Request), e.Request.Header.Get("x-api-key")} {
		key, err := apikeys.Parse(text)
		if err != nil {
			continue
		}
		grant, valid := s.keys.checker.Check(key, time.Now())
		if valid && grant.ID == c.grant.ID && grant.Scopes.Has(apikeys.ScopeGateway) {
			return true
		}
	}
	return false
}
