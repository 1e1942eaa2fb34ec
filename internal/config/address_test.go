package config

import (
	"strings"
	"testing"
)

func TestParseOrigin(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"http://localhost:5173":                "http://localhost:5173",
		"https://app.example.com":              "https://app.example.com",
		"HTTPS://App.Example.COM":              "https://app.example.com",
		"https://app.example.com:443":          "https://app.example.com",
		"http://app.example.com:80":            "http://app.example.com",
		"http://app.example.com:443":           "http://app.example.com:443",
		"https://app.example.com:80":           "https://app.example.com:80",
		"https://app.example.com:08443":        "https://app.example.com:8443",
		"http://127.0.0.1:3000":                "http://127.0.0.1:3000",
		"http://[::1]:3000":                    "http://[::1]:3000",
		"http://[0:0:0:0:0:0:0:1]":             "http://[::1]",
		"http://my_service":                    "http://my_service",
		"https://xn--bcher-kva.example":        "https://xn--bcher-kva.example",
		"http://a:65535":                       "http://a:65535",
		"file://":                              "file://",
		"FILE://":                              "file://",
		"chrome-extension://id":                "chrome-extension://id",
		"Chrome-Extension://ABCDEFGHIJKLMNOPA": "chrome-extension://abcdefghijklmnopa",
	}
	for text, want := range tests {
		if got, wrong := parseOrigin(text); got != want || wrong != "" {
			t.Errorf("%s: got %q, %q; want %q", text, got, wrong, want)
		}
	}
}

func TestParseOriginRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"*":                              wrongWildcard,
		"https://*":                      wrongWildcard,
		"https://*.example.com":          wrongWildcard,
		"chrome-extension://*":           wrongWildcard,
		"null":                           wrongNull,
		"NULL":                           wrongNull,
		"app.example.com":                wrongScheme,
		"localhost:5173":                 wrongScheme,
		"127.0.0.1:5173":                 wrongScheme,
		"//app.example.com":              wrongScheme,
		"ftp://app.example.com":          wrongScheme,
		"javascript:alert(1)":            wrongScheme,
		"http:app.example.com":           wrongScheme,
		"file:///home":                   wrongScheme,
		"https://":                       wrongHost,
		"https://:443":                   wrongHost,
		"https://a b":                    wrongHost,
		"https://a..b":                   wrongHost,
		"https://a.":                     wrongHost,
		"https://bücher.example":         wrongHost,
		"https://b%C3%BCcher.example":    wrongHost,
		"https://" + longHost(254):       wrongHost,
		"https://[::1":                   wrongHost,
		"https://[::g]":                  wrongHost,
		"https://[fe80::1%25eth0]":       wrongHost,
		"https://a:":                     wrongHost,
		"https://a:0":                    wrongHost,
		"https://a:65536":                wrongHost,
		"https://a:99999999999999999999": wrongHost,
		"https://a:http":                 wrongHost,
		"https://user@a":                 wrongUser,
		"https://user:pass@a":            wrongUser,
		"https://@a":                     wrongUser,
		"https://a?":                     wrongQuery,
		"https://a?x=1":                  wrongQuery,
		"https://a#top":                  wrongQuery,
		"https://a/":                     wrongPath,
		"https://a/api":                  wrongPath,
		"chrome-extension://":            wrongID,
		"chrome-extension://id/":         wrongID,
		"chrome-extension://" + strings.Repeat("a", 65): wrongID,
	}
	for text, want := range tests {
		if got, wrong := parseOrigin(text); wrong != want || got != "" {
			t.Errorf("%s: got %q, %q; want %q", text, got, wrong, want)
		}
	}
	if _, wrong := parseOrigin("https://" + longHost(253)); wrong != "" {
		t.Errorf("the longest host: %s", wrong)
	}
}

// longHost returns a host name of a length in bytes.
func longHost(length int) string {
	return strings.Repeat("a.", length)[:length-1] + "a"
}

func TestTrustedOriginsHaveNoRepeats(t *testing.T) {
	t.Parallel()
	config := mustLoad(t, map[string]string{"FRONTEND_URL": "https://a.example, https://A.example:443,https://b.example,,https://a.example"})
	if got := strings.Join(config.TrustedOrigins, " "); got != "https://a.example https://b.example" {
		t.Fatalf("got %s", got)
	}
}

// FuzzParseOrigin checks that a normal form is its own normal form.
func FuzzParseOrigin(f *testing.F) {
	for _, text := range []string{"http://localhost:5173", "HTTPS://A.B:443", "http://[::ffff:1.2.3.4]:080", "file://", "chrome-extension://id", "https://a/b", "*"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		origin, wrong := parseOrigin(text)
		if (origin == "") == (wrong == "") {
			t.Fatalf("%q: got %q and %q", text, origin, wrong)
		}
		if wrong != "" {
			return
		}
		if strings.ContainsAny(origin, "*?#@ ,\\\t\r\n") || strings.ToLower(origin) != origin {
			t.Fatalf("%q is trusted as %q", text, origin)
		}
		if again, wrong := parseOrigin(origin); again != origin || wrong != "" {
			t.Fatalf("%q becomes %q, then %q, %q", text, origin, again, wrong)
		}
	})
}
