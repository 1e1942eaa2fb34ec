package config

import (
	"errors"

	"sokuji/internal/pricing"
)

// The environment variables.
const (
	variableEnvironment         = "ENVIRONMENT"
	variableFrontendURL         = "FRONTEND_URL"
	variablePublicURL           = "PUBLIC_URL"
	variableBetterAuthURL       = "BETTER_AUTH_URL"
	variableSecret              = "SOKUJI_SECRET"
	variableBetterAuthSecret    = "BETTER_AUTH_SECRET"
	variableSuperuserEmail      = "SUPERUSER_EMAIL"
	variableSuperuserPassword   = "SUPERUSER_PASSWORD"
	variableTrustedProxyHeaders = "TRUSTED_PROXY_HEADERS"
	variableAuthRateLimit       = "AUTH_RATE_LIMIT"
	variableAPIRateLimit        = "API_RATE_LIMIT"
	variableTokenValue          = "TOKEN_VALUE_MICRO_USD"
	variableMargin              = "MARGIN_PPM"
	variablePublicDir           = "PUBLIC_DIR"
	variableUsageRetention      = "USAGE_RETENTION_DAYS"
	variableOpenAIKey           = "OPENAI_API_KEY"
	variableOpenAIBaseURL       = "OPENAI_BASE_URL"
	variableAnthropicKey        = "ANTHROPIC_API_KEY"
	variableAnthropicBaseURL    = "ANTHROPIC_BASE_URL"
	variableAllowPrivate        = "GATEWAY_ALLOW_PRIVATE"
	variableLogContent          = "GATEWAY_LOG_CONTENT"
)

// Defaults and bounds. Those of the token value and the margin are pricing's.
const (
	DefaultEnvironment = "development"
	DefaultFrontendURL = "http://localhost:5173"
	DefaultPublicDir   = "pb_public"

	DefaultAuthRateLimit = 3      // requests per 10 seconds
	MaxAuthRateLimit     = 10_000 // requests per 10 seconds

	DefaultAPIRateLimit = 6_000      // requests per minute
	MaxAPIRateLimit     = 10_000_000 // requests per minute
)

// Config is everything an operator can set, checked.
type Config struct {
	// Environment names the deployment in health answers and logs, 1 to 64
	// letters, digits, - and _.
	Environment string

	// TrustedOrigins may send cookies and get CORS with credentials. Each is
	// spelled as a browser spells it in an Origin header, without repeats.
	TrustedOrigins []string

	// PublicURL is the server's own address for mail links, Secure cookies and
	// OAuth callbacks: absolute, http or https, without query and without a
	// slash at the end. "" means that the server does not know it.
	PublicURL string

	// Secret signs cookies and derives the default API keys; it is unset until
	// WithGeneratedSecret when the operator sets none.
	Secret Secret

	// SecretIsGenerated says that Secret comes from the data folder.
	SecretIsGenerated bool

	// OldSecret only verifies cookies that the former backend signed.
	OldSecret Secret

	// SuperuserEmail and SuperuserPassword are both set or both unset.
	SuperuserEmail    string
	SuperuserPassword Secret

	// TrustedProxyHeaders name the headers whose address is believed, in their
	// canonical spelling and in order. Empty means the connection's address.
	TrustedProxyHeaders []string

	// AuthRateLimit is how many sign-ins or sign-ups are allowed per 10 seconds
	// for an address and a route; 0 is off.
	AuthRateLimit int

	// APIRateLimit is how many requests to /api are allowed per minute for a
	// user; 0 is off.
	APIRateLimit int

	// TokenValueMicroUSD is what one wallet token is worth, in micro-USD.
	TokenValueMicroUSD int64

	// MarginPPM is the price over the provider's cost, in parts per million,
	// for price rows without a margin of their own.
	MarginPPM int64

	// PublicDir is a folder whose files replace the built-in portal.
	PublicDir string

	// UsageRetentionDays is how many whole UTC days usage rows stay in the
	// database before they move to archive files; 0 keeps them for ever.
	UsageRetentionDays int

	// Gateway is about the metered proxy, /v1.
	Gateway Gateway
}

// Load reads the configuration through getenv, os.Getenv outside tests. An
// empty variable counts as unset. When anything is wrong, the error joins one
// sentence for each problem, which names the variable and an example of a good
// value, and the Config is empty. No sentence repeats a secret.
func Load(getenv func(string) string) (Config, error) {
	env := &environment{getenv: getenv}
	config := Config{
		Environment:         env.environmentName(),
		TrustedOrigins:      env.trustedOrigins(),
		PublicURL:           env.publicURL(),
		TrustedProxyHeaders: env.trustedProxyHeaders(),
		AuthRateLimit:       int(env.number(variableAuthRateLimit, DefaultAuthRateLimit, 0, MaxAuthRateLimit)),
		APIRateLimit:        int(env.number(variableAPIRateLimit, DefaultAPIRateLimit, 0, MaxAPIRateLimit)),
		TokenValueMicroUSD: env.number(variableTokenValue,
			pricing.DefaultTokenValueMicroUSD, 1, pricing.MaxTokenValueMicroUSD),
		MarginPPM: env.number(variableMargin, pricing.DefaultMarginPPM, 1, pricing.MaxMarginPPM),
		PublicDir: env.textOr(variablePublicDir, DefaultPublicDir),

		UsageRetentionDays: env.usageRetention(),
		Gateway:            env.gateway(),
	}
	config.Secret, config.OldSecret = env.secrets()
	config.SuperuserEmail, config.SuperuserPassword = env.superuser()
	if len(env.problems) > 0 {
		return Config{}, errors.Join(env.problems...)
	}
	return config, nil
}

// WithGeneratedSecret returns the configuration with the secret that
// LoadOrCreateSecret found or made, for an operator who sets none. It changes
// nothing when the operator did, or when the given secret is unset.
func (c Config) WithGeneratedSecret(secret Secret) Config {
	if c.Secret.IsSet() || !secret.IsSet() {
		return c
	}
	c.Secret, c.SecretIsGenerated = secret, true
	return c
}
