package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// Secrets of the tests. No error and no summary may ever contain one.
const (
	goodSecret      = "own-secret-0123456789-0123456789-0123"
	goodOldSecret   = "old-secret-0123456789-0123456789-0123"
	goodPassword    = "correct horse"
	shortSecret     = "short-secret-0123456789"
	shortPassword   = "pass-12"
	secretInAddress = "hunter2-in-address"
)

// variables is a getenv of a map.
func variables(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

// mustLoad loads a configuration or fails the test.
func mustLoad(t *testing.T, values map[string]string) Config {
	t.Helper()
	config, err := Load(variables(values))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestLoadDefaults(t *testing.T) {
	t.Parallel()
	want := Config{
		Environment:        "development",
		TrustedOrigins:     []string{"http://localhost:5173"},
		AuthRateLimit:      3,
		APIRateLimit:       6000,
		TokenValueMicroUSD: 10,
		MarginPPM:          1_200_000,
		PublicDir:          "pb_public",
	}
	if got := mustLoad(t, nil); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func TestLoadEverything(t *testing.T) {
	t.Parallel()
	got := mustLoad(t, map[string]string{
		"ENVIRONMENT":           " production-eu_1 ",
		"FRONTEND_URL":          "https://app.example.com, chrome-extension://abcdefghijklmnopabcdefghijklmnop ,file://",
		"PUBLIC_URL":            "https://api.example.com/sokuji/",
		"SOKUJI_SECRET":         goodSecret,
		"BETTER_AUTH_SECRET":    goodOldSecret,
		"SUPERUSER_EMAIL":       "admin@example.com",
		"SUPERUSER_PASSWORD":    goodPassword,
		"TRUSTED_PROXY_HEADERS": "x-forwarded-for, CF-Connecting-IP",
		"AUTH_RATE_LIMIT":       "0",
		"API_RATE_LIMIT":        "10000000",
		"TOKEN_VALUE_MICRO_USD": "1",
		"MARGIN_PPM":            "1000000000",
		"PUBLIC_DIR":            "/srv/portal",
	})
	if string(got.Secret.Bytes()) != goodSecret || string(got.OldSecret.Bytes()) != goodOldSecret ||
		string(got.SuperuserPassword.Bytes()) != goodPassword {
		t.Error("a secret was read wrongly")
	}
	got.Secret, got.OldSecret, got.SuperuserPassword = Secret{}, Secret{}, Secret{}
	want := Config{
		Environment:         "production-eu_1",
		TrustedOrigins:      []string{"https://app.example.com", "chrome-extension://abcdefghijklmnopabcdefghijklmnop", "file://"},
		PublicURL:           "https://api.example.com/sokuji",
		SuperuserEmail:      "admin@example.com",
		TrustedProxyHeaders: []string{"X-Forwarded-For", "Cf-Connecting-Ip"},
		AuthRateLimit:       0,
		APIRateLimit:        10_000_000,
		TokenValueMicroUSD:  1,
		MarginPPM:           1_000_000_000,
		PublicDir:           "/srv/portal",
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func TestLoadAccepts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		values map[string]string
		read   func(Config) any
		want   any
	}{
		{"blank is unset", map[string]string{"AUTH_RATE_LIMIT": " ", "ENVIRONMENT": "\t"}, func(c Config) any { return fmt.Sprintf("%d %s", c.AuthRateLimit, c.Environment) }, "3 development"},
		{"largest sign-in limit", map[string]string{"AUTH_RATE_LIMIT": "10000"}, func(c Config) any { return c.AuthRateLimit }, 10_000},
		{"API limit off", map[string]string{"API_RATE_LIMIT": "0"}, func(c Config) any { return c.APIRateLimit }, 0},
		{"largest token value", map[string]string{"TOKEN_VALUE_MICRO_USD": "1000000"}, func(c Config) any { return c.TokenValueMicroUSD }, int64(1_000_000)},
		{"smallest margin", map[string]string{"MARGIN_PPM": "1"}, func(c Config) any { return c.MarginPPM }, int64(1)},
		{"longest environment", map[string]string{"ENVIRONMENT": strings.Repeat("e", 64)}, func(c Config) any { return len(c.Environment) }, 64},
		{"PUBLIC_URL wins", map[string]string{"PUBLIC_URL": "https://a.example", "BETTER_AUTH_URL": "https://b.example"}, func(c Config) any { return c.PublicURL }, "https://a.example"},
		{"an unused BETTER_AUTH_URL is not judged", map[string]string{"PUBLIC_URL": "https://a.example", "BETTER_AUTH_URL": "nonsense"}, func(c Config) any { return c.PublicURL }, "https://a.example"},
		{"BETTER_AUTH_URL", map[string]string{"BETTER_AUTH_URL": "http://localhost:3000/"}, func(c Config) any { return c.PublicURL }, "http://localhost:3000"},
		{"several slashes", map[string]string{"PUBLIC_URL": "https://a.example/x//"}, func(c Config) any { return c.PublicURL }, "https://a.example/x"},
		{"BETTER_AUTH_SECRET alone", map[string]string{"BETTER_AUTH_SECRET": goodOldSecret}, func(c Config) any { return fmt.Sprintf("%s %v", c.Secret.Bytes(), c.OldSecret.IsSet()) }, goodOldSecret + " false"},
		{"a short old secret", map[string]string{"SOKUJI_SECRET": goodSecret, "BETTER_AUTH_SECRET": shortSecret}, func(c Config) any { return fmt.Sprintf("%s %s", c.Secret.Bytes(), c.OldSecret.Bytes()) }, goodSecret + " " + shortSecret},
		{"SOKUJI_SECRET alone", map[string]string{"SOKUJI_SECRET": goodSecret}, func(c Config) any { return fmt.Sprintf("%s %v", c.Secret.Bytes(), c.OldSecret.IsSet()) }, goodSecret + " false"},
		{"a secret is taken byte for byte", map[string]string{"SOKUJI_SECRET": " " + goodSecret + "\n"}, func(c Config) any { return string(c.Secret.Bytes()) }, " " + goodSecret + "\n"},
		{"a secret counts characters", map[string]string{"SOKUJI_SECRET": strings.Repeat("語", 32)}, func(c Config) any { return c.Secret.IsSet() }, true},
		{"shortest password", map[string]string{"SUPERUSER_EMAIL": "a@b", "SUPERUSER_PASSWORD": "12345678"}, func(c Config) any { return c.SuperuserEmail }, "a@b"},
		{"longest password", map[string]string{"SUPERUSER_EMAIL": "a@b", "SUPERUSER_PASSWORD": strings.Repeat("p", 71)}, func(c Config) any { return len(c.SuperuserPassword.Bytes()) }, 71},
		{"a header once", map[string]string{"TRUSTED_PROXY_HEADERS": "X-Real-IP,x-real-ip,,"}, func(c Config) any { return strings.Join(c.TrustedProxyHeaders, " ") }, "X-Real-Ip"},
		{"an unusual header", map[string]string{"TRUSTED_PROXY_HEADERS": "x!#$%&'*+.^`|~_9"}, func(c Config) any { return len(c.TrustedProxyHeaders) }, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.read(mustLoad(t, test.values)); got != test.want {
				t.Fatalf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		variable, value string
		want            string // what the sentence must say
	}{
		{"ENVIRONMENT", "pro duction", "letters, digits"},
		{"ENVIRONMENT", "prod.eu", "letters, digits"},
		{"ENVIRONMENT", "prodüktion", "letters, digits"},
		{"ENVIRONMENT", strings.Repeat("e", 65), "1 to 64"},

		{"AUTH_RATE_LIMIT", "-1", `from 0 to 10000, not "-1"`},
		{"AUTH_RATE_LIMIT", "10001", `from 0 to 10000, not "10001"`},
		{"AUTH_RATE_LIMIT", "3.0", `not "3.0"`},
		{"AUTH_RATE_LIMIT", "+3", `not "+3"`},
		{"AUTH_RATE_LIMIT", "1e3", `not "1e3"`},
		{"AUTH_RATE_LIMIT", "off", "from 0 to 10000:"},
		{"API_RATE_LIMIT", "10000001", "from 0 to 10000000"},
		{"API_RATE_LIMIT", "99999999999999999999", "from 0 to 10000000"},
		{"TOKEN_VALUE_MICRO_USD", "0", "from 1 to 1000000"},
		{"TOKEN_VALUE_MICRO_USD", "1000001", "from 1 to 1000000"},
		{"MARGIN_PPM", "0", "from 1 to 1000000000"},
		{"MARGIN_PPM", "1.2", `not "1.2"`},
		{"MARGIN_PPM", goodSecret, "from 1 to 1000000000:"},

		{"FRONTEND_URL", ",", "must list 1 to 100 origins"},
		{"FRONTEND_URL", strings.Repeat("http://a.example,", 101), "must list 1 to 100 origins"},
		{"FRONTEND_URL", "*", `"*", which is a wildcard`},
		{"FRONTEND_URL", "https://ok.example,https://*.example.com", "is a wildcard"},
		{"FRONTEND_URL", "null", "sandboxed"},
		{"FRONTEND_URL", "https://app.example.com/", "has a path"},
		{"FRONTEND_URL", "https://app.example.com/" + strings.Repeat("long", 1000), "longlong…\", which has a path"},
		{"FRONTEND_URL", "chrome-extension://", "does not name one extension"},

		{"PUBLIC_URL", "api.example.com", "does not start with http:// or https://"},
		{"PUBLIC_URL", "https://api.example.com?x=1", "has a query"},
		{"PUBLIC_URL", "chrome-extension://abc", "does not start with http:// or https://"},
		{"BETTER_AUTH_URL", "/api/auth", "does not start with http:// or https://"},

		{"SOKUJI_SECRET", shortSecret, "has 23 characters and needs at least 32"},
		{"BETTER_AUTH_SECRET", shortSecret, "has 23 characters and needs at least 32; with SOKUJI_SECRET set beside it"},

		{"TRUSTED_PROXY_HEADERS", "X-Forwarded-For:", "not the name of a header"},
		{"TRUSTED_PROXY_HEADERS", "X Forwarded For", "not the name of a header"},
		{"TRUSTED_PROXY_HEADERS", "X-Größe", "not the name of a header"},
		{"TRUSTED_PROXY_HEADERS", strings.Repeat("x", 65), "not the name of a header"},
		{"TRUSTED_PROXY_HEADERS", strings.Repeat("x,", 11), "at most 10 headers"},

		{"SUPERUSER_EMAIL", "admin@example.com", "SUPERUSER_PASSWORD is missing although SUPERUSER_EMAIL is set"},
		{"SUPERUSER_PASSWORD", goodPassword, "SUPERUSER_EMAIL is missing although SUPERUSER_PASSWORD is set"},
	}
	for _, test := range tests {
		t.Run(test.variable+" "+test.value[:min(20, len(test.value))], func(t *testing.T) {
			t.Parallel()
			_, err := Load(variables(map[string]string{test.variable: test.value}))
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not say %q", err, test.want)
			}
			if !strings.Contains(err.Error(), test.variable) || !strings.Contains(err.Error(), ": set for example ") {
				t.Errorf("%q names no variable or no example", err)
			}
			if len(err.Error()) > 400 || strings.Contains(err.Error(), "\n") {
				t.Errorf("not one sentence: %q", err)
			}
			expectNoSecret(t, err.Error())
		})
	}
}

func TestLoadRefusesSuperuser(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, email, password, want string }{
		{"no @", "admin", goodPassword, "SUPERUSER_EMAIL is not an email address"},
		{"two @", "a@b@c", goodPassword, "SUPERUSER_EMAIL is not an email address"},
		{"no name", "@example.com", goodPassword, "SUPERUSER_EMAIL is not an email address"},
		{"no host", "admin@", goodPassword, "SUPERUSER_EMAIL is not an email address"},
		{"two addresses", "a@b,c", goodPassword, "SUPERUSER_EMAIL is not an email address"},
		{"a space", "a b@c", goodPassword, "SUPERUSER_EMAIL is not an email address"},
		{"too long", strings.Repeat("a", 250) + "@b.cc", goodPassword, "SUPERUSER_EMAIL is not an email address"},
		{"short password", "a@b", shortPassword, "SUPERUSER_PASSWORD must have at least 8 characters"},
		{"long password", "a@b", strings.Repeat("p", 72), "at most 71 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(variables(map[string]string{"SUPERUSER_EMAIL": test.email, "SUPERUSER_PASSWORD": test.password}))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			expectNoSecret(t, err.Error())
		})
	}
}

// expectNoSecret fails when text repeats one of the tests' secrets.
func expectNoSecret(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{goodSecret, goodOldSecret, goodPassword, shortSecret, shortPassword, secretInAddress} {
		if strings.Contains(text, secret) {
			t.Errorf("repeats a secret: %q", text)
		}
	}
}

func TestLoadDoesNotRepeatPasswordsInAddresses(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"https://admin:" + secretInAddress + "@example.com",
		"https://example.com/?token=" + secretInAddress,
		"https://example.com/#" + secretInAddress,
		"admin:" + secretInAddress + "@example.com",
		"https://a:b%zz" + secretInAddress + "@example.com",
	} {
		for _, name := range []string{"FRONTEND_URL", "PUBLIC_URL", "BETTER_AUTH_URL", "TRUSTED_PROXY_HEADERS", "API_RATE_LIMIT", "ENVIRONMENT"} {
			_, err := Load(variables(map[string]string{name: value}))
			if err == nil {
				t.Errorf("%s accepts %q", name, value)
				continue
			}
			expectNoSecret(t, err.Error())
		}
	}
}

func TestLoadReportsEveryProblem(t *testing.T) {
	t.Parallel()
	config, err := Load(variables(map[string]string{
		"ENVIRONMENT":           "a b",
		"FRONTEND_URL":          "*,https://ok.example,nonsense",
		"PUBLIC_URL":            "nonsense",
		"SOKUJI_SECRET":         shortSecret,
		"SUPERUSER_EMAIL":       "nobody",
		"SUPERUSER_PASSWORD":    shortPassword,
		"TRUSTED_PROXY_HEADERS": ":",
		"AUTH_RATE_LIMIT":       "x",
		"API_RATE_LIMIT":        "x",
		"TOKEN_VALUE_MICRO_USD": "x",
		"MARGIN_PPM":            "x",
	}))
	if err == nil {
		t.Fatal("accepted")
	}
	sentences := strings.Split(err.Error(), "\n")
	starts := []string{
		"ENVIRONMENT ", `FRONTEND_URL lists "*"`, `FRONTEND_URL lists "nonsense"`, "PUBLIC_URL ", "SOKUJI_SECRET ",
		"SUPERUSER_EMAIL ", "SUPERUSER_PASSWORD ", "TRUSTED_PROXY_HEADERS ", "AUTH_RATE_LIMIT ",
		"API_RATE_LIMIT ", "TOKEN_VALUE_MICRO_USD ", "MARGIN_PPM ",
	}
	if len(sentences) != len(starts) {
		t.Errorf("%d sentences, want %d:\n%s", len(sentences), len(starts), err)
	}
	for _, start := range starts {
		if !strings.Contains("\n"+err.Error(), "\n"+start) {
			t.Errorf("no sentence starts with %q:\n%s", start, err)
		}
	}
	if !reflect.DeepEqual(config, Config{}) {
		t.Errorf("a refused configuration is not empty: %+v", config)
	}
}

func TestWithGeneratedSecret(t *testing.T) {
	t.Parallel()
	generated := NewSecret("generated")
	config := mustLoad(t, nil).WithGeneratedSecret(generated)
	if string(config.Secret.Bytes()) != "generated" || !config.SecretIsGenerated {
		t.Errorf("got %q, %v", config.Secret.Bytes(), config.SecretIsGenerated)
	}
	config = mustLoad(t, map[string]string{"SOKUJI_SECRET": goodSecret}).WithGeneratedSecret(generated)
	if string(config.Secret.Bytes()) != goodSecret || config.SecretIsGenerated {
		t.Error("a generated secret replaced the operator's")
	}
	config = mustLoad(t, nil).WithGeneratedSecret(Secret{})
	if config.Secret.IsSet() || config.SecretIsGenerated {
		t.Error("an unset secret counts as generated")
	}
}
