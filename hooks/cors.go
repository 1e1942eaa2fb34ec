package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// preflightSeconds is how long a browser may remember a preflight.
const preflightSeconds = 600

var (
	corsMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	corsHeaders = []string{
		"Authorization", "Content-Type", "Idempotency-Key", "x-api-key", "X-Device-Id", "X-Platform",
		// what the OpenAI and Anthropic SDKs send from a browser
		"OpenAI-Beta", "OpenAI-Organization", "OpenAI-Project", "anthropic-version", "anthropic-beta",
		"anthropic-dangerous-direct-browser-access", "x-sokuji-usage", "x-client-request-id",
		"x-stainless-arch", "x-stainless-custom-poll-interval", "x-stainless-helper", "x-stainless-helper-method", "x-stainless-lang",
		"x-stainless-os", "x-stainless-package-version", "x-stainless-poll-helper", "x-stainless-retry-count", "x-stainless-runtime",
		"x-stainless-runtime-version", "x-stainless-timeout",
	}
	corsExposed = []string{
		"set-auth-token", "Idempotent-Replayed", "Retry-After", "X-Retry-After", "x-request-id", "x-should-retry", "x-sokuji-charged-tokens",
		"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests",
		"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens",
	}
)

// cors gives trusted origins credentials, and every other origin "*" without
// them, so that tokens work from anywhere and cookies only from home.
func (s *server) cors() *hook.Handler[*core.RequestEvent] {
	base := apis.CORSConfig{
		AllowMethods: corsMethods, AllowHeaders: corsHeaders, ExposeHeaders: corsExposed, MaxAge: preflightSeconds,
	}
	open, trusted := base, base
	open.AllowOrigins = []string{"*"}
	trusted.AllowCredentials = true
	trusted.AllowOriginFunc = func(string) (bool, error) { return true, nil }

	openHandler, trustedHandler := apis.CORS(open), apis.CORS(trusted)
	return &hook.Handler[*core.RequestEvent]{
		Id:       apis.DefaultCorsMiddlewareId,
		Priority: apis.DefaultCorsMiddlewarePriority,
		Func: func(e *core.RequestEvent) error {
			origin := e.Request.Header.Get("Origin")
			if origin != "" && (origin == s.ownOrigin(e) || s.origins.Trusted(origin)) {
				return trustedHandler.Func(e)
			}
			return openHandler.Func(e)
		},
	}
}
