package config

import (
	"fmt"
	"strings"
)

// Summary lists what is in force, one line each, to print at the start. Of a
// secret it says only whether it is set, generated or not set.
func (c Config) Summary() []string {
	return []string{
		"environment: " + c.Environment,
		"public URL: " + orNotSet(c.PublicURL),
		"trusted origins: " + strings.Join(c.TrustedOrigins, ", "),
		"trusted proxy headers: " + orNotSet(strings.Join(c.TrustedProxyHeaders, ", ")),
		"secret: " + c.secretState(),
		"secret of old cookies: " + setOrNot(c.OldSecret.IsSet()),
		"superuser: " + setOrNot(c.SuperuserPassword.IsSet()),
		"sign-in limit: " + limitOrOff(c.AuthRateLimit, "10 seconds per address and route"),
		"API limit: " + limitOrOff(c.APIRateLimit, "minute per user"),
		fmt.Sprintf("token value: %d micro-USD", c.TokenValueMicroUSD),
		fmt.Sprintf("margin: %d parts per million of the provider's cost", c.MarginPPM),
		"public folder: " + c.PublicDir,
		"usage rows: " + retention(c.UsageRetentionDays),
		"provider openai: " + setOrNot(c.Gateway.OpenAI.IsSet()),
		"provider anthropic: " + setOrNot(c.Gateway.Anthropic.IsSet()),
		"providers in private networks: " + onOrOff(c.Gateway.AllowPrivate),
		"log of what is asked and answered: " + onOrOff(c.Gateway.LogContent),
	}
}

func (c Config) secretState() string {
	if c.SecretIsGenerated {
		return "generated"
	}
	return setOrNot(c.Secret.IsSet())
}

func setOrNot(isSet bool) string {
	if isSet {
		return "set"
	}
	return "not set"
}

func orNotSet(text string) string {
	if text == "" {
		return "not set"
	}
	return text
}

func limitOrOff(requests int, per string) string {
	if requests == 0 {
		return "off"
	}
	return fmt.Sprintf("%d requests per %s", requests, per)
}
