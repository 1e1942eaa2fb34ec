package config

import (
	"slices"
	"strings"
	"testing"
)

func TestSummaryOfDefaults(t *testing.T) {
	t.Parallel()
	want := []string{
		"environment: development",
		"public URL: not set",
		"trusted origins: http://localhost:5173",
		"trusted proxy headers: not set",
		"secret: not set",
		"secret of old cookies: not set",
		"superuser: not set",
		"sign-in limit: 3 requests per 10 seconds per address and route",
		"API limit: 6000 requests per minute per user",
		"token value: 10 micro-USD",
		"margin: 1200000 parts per million of the provider's cost",
		"public folder: pb_public",
		"usage rows: kept for ever",
		"provider openai: not set",
		"provider anthropic: not set",
		"providers in private networks: off",
		"log of what is asked and answered: off",
	}
	if got := mustLoad(t, nil).Summary(); !slices.Equal(got, want) {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSummaryOfEverything(t *testing.T) {
	t.Parallel()
	config := mustLoad(t, map[string]string{
		"PUBLIC_URL":            "https://api.example.com",
		"FRONTEND_URL":          "https://a.example,https://b.example",
		"TRUSTED_PROXY_HEADERS": "X-Real-Ip,X-Forwarded-For",
		"SOKUJI_SECRET":         goodSecret,
		"BETTER_AUTH_SECRET":    goodOldSecret,
		"SUPERUSER_EMAIL":       "admin@example.com",
		"SUPERUSER_PASSWORD":    goodPassword,
		"AUTH_RATE_LIMIT":       "0",
		"API_RATE_LIMIT":        "0",
	})
	text := strings.Join(config.Summary(), "\n")
	for _, line := range []string{
		"public URL: https://api.example.com", "trusted origins: https://a.example, https://b.example",
		"trusted proxy headers: X-Real-Ip, X-Forwarded-For", "secret: set", "secret of old cookies: set", "superuser: set",
		"sign-in limit: off", "API limit: off",
	} {
		if !strings.Contains("\n"+text+"\n", "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	expectNoSecret(t, text)
}

func TestSummaryOfAGeneratedSecret(t *testing.T) {
	t.Parallel()
	config := mustLoad(t, nil).WithGeneratedSecret(NewSecret(goodSecret))
	if got := config.Summary(); !slices.Contains(got, "secret: generated") {
		t.Errorf("got %q", got)
	}
	expectNoSecret(t, strings.Join(config.Summary(), "\n"))
}
