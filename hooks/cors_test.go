package hooks

import (
	"strings"
	"testing"
)

func TestCORS(t *testing.T) {
	h := newHouse(t, "FRONTEND_URL", "http://localhost:5173,chrome-extension://abcdefghijklmnop", "PUBLIC_URL", "https://sokuji.example")
	for _, c := range []struct {
		rule, origin string
		trusted      bool
	}{
		{"the front end", trustedOrigin, true},
		{"a listed extension", "chrome-extension://abcdefghijklmnop", true},
		{"the public address", "https://sokuji.example", true},
		{"the request's own origin", h.srv.URL, true},
		{"another site", foreignOrigin, false},
		{"an unlisted extension", "chrome-extension://ponmlkjihgfedcba", false},
		{"a file", "file://", false},
		{"null", "null", false},
		{"a name that only starts like ours", "http://localhost:5173.evil.example", false},
		{"a subdomain", "https://x.sokuji.example", false},
		{"another scheme", "http://sokuji.example", false},
		{"another port", "http://localhost:5174", false},
	} {
		for _, path := range []string{"/api/wallet/balance", "/api/auth/ok", "/api/health", "/api/collections/plans/records", "/v1/nothing"} {
			got := h.do("GET", path, nobody, "", "Origin", c.origin)
			checkCORS(t, c.rule+" "+path, got, c.origin, c.trusted)
		}
		preflight := h.do("OPTIONS", "/api/wallet/mint", nobody, "", "Origin", c.origin,
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization, idempotency-key").want(204)
		checkCORS(t, c.rule+" preflight", preflight, c.origin, c.trusted)
		allowed := strings.ToLower(preflight.header.Get("Access-Control-Allow-Headers"))
		for _, header := range []string{"Authorization", "Content-Type", "Idempotency-Key", "x-api-key", "X-Device-Id", "X-Platform"} {
			if !strings.Contains(allowed, strings.ToLower(header)) {
				t.Errorf("%s: the header %s is not allowed: %s", c.rule, header, allowed)
			}
		}
		for _, method := range []string{"GET", "POST", "PATCH", "DELETE"} {
			if !strings.Contains(preflight.header.Get("Access-Control-Allow-Methods"), method) {
				t.Errorf("%s: %s is not allowed", c.rule, method)
			}
		}
	}
}

func checkCORS(t *testing.T, rule string, got answer, origin string, trusted bool) {
	t.Helper()
	allowed, credentials := got.header.Get("Access-Control-Allow-Origin"), got.header.Get("Access-Control-Allow-Credentials")
	if trusted && (allowed != origin || credentials != "true") {
		t.Errorf("%s: a trusted origin gets %q with credentials %q", rule, allowed, credentials)
	}
	if !trusted && (allowed != "*" || credentials != "") {
		t.Errorf("%s: another origin gets %q with credentials %q", rule, allowed, credentials)
	}
	if !strings.Contains(strings.Join(got.header.Values("Vary"), ","), "Origin") && trusted {
		t.Errorf("%s: a cache would hand the answer to other origins", rule)
	}
}

// A script can read the headers that it needs.
func TestCORSExposesHeaders(t *testing.T) {
	h := newHouse(t)
	exposed := h.do("GET", "/api/wallet/balance", nobody, "", "Origin", foreignOrigin).header.Get("Access-Control-Expose-Headers")
	for _, header := range []string{"set-auth-token", "Idempotent-Replayed", "Retry-After"} {
		if !strings.Contains(exposed, header) {
			t.Errorf("%s is not exposed: %s", header, exposed)
		}
	}
	signIn := h.do("POST", "/api/auth/sign-in/email", nobody, object("email", aliceEmail, "password", testPassword), "Origin", foreignOrigin).want(200)
	if exposed := strings.Join(signIn.header.Values("Access-Control-Expose-Headers"), ","); !strings.Contains(exposed, "set-auth-token") {
		t.Errorf("a script cannot read set-auth-token: %s", exposed)
	}
}
