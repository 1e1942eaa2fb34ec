package hooks

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
)

func TestClientAddress(t *testing.T) {
	h := newHouse(t)
	const connection = "192.0.2.9"
	tests := []struct {
		name     string
		trusted  []string
		leftmost bool
		headers  http.Header
		want     string
	}{
		{"no proxy", nil, false, http.Header{"X-Forwarded-For": {"1.2.3.4"}}, connection},
		{"no header", []string{"X-Forwarded-For"}, false, nil, connection},
		{"one entry", []string{"X-Forwarded-For"}, false, http.Header{"X-Forwarded-For": {"1.2.3.4"}}, "1.2.3.4"},
		{"the proxy's entry is the last", []string{"X-Forwarded-For"}, false, http.Header{"X-Forwarded-For": {"10.9.9.9, 1.2.3.4"}}, "1.2.3.4"},
		{"of the last line", []string{"X-Forwarded-For"}, false, http.Header{"X-Forwarded-For": {"1.2.3.4", "10.9.9.9, 5.6.7.8"}}, "5.6.7.8"},
		{"a port", []string{"X-Forwarded-For"}, false, http.Header{"X-Forwarded-For": {"10.9.9.9, 1.2.3.4:5555"}}, "1.2.3.4"},
		{"IPv6", []string{"X-Forwarded-For"}, false, http.Header{"X-Forwarded-For": {"10.9.9.9,2001:db8::1"}}, "2001:0db8:0000:0000:0000:0000:0000:0001"},
		{"IPv6 with a port", []string{"X-Forwarded-For"}, false, http.Header{"X-Forwarded-For": {"10.9.9.9,[2001:db8::1]:5555"}}, "2001:0db8:0000:0000:0000:0000:0000:0001"},
		{"IPv6 in brackets", []string{"X-Forwarded-For"}, false, http.Header{"X-Forwarded-For": {"[2001:db8::1]"}}, "2001:0db8:0000:0000:0000:0000:0000:0001"},
		{"IPv4 in IPv6", []string{"X-Forwarded-For"}, false, http.Header{"X-Forwarded-For": {"::ffff:1.2.3.4"}}, "1.2.3.4"},
		{"what cannot be read hides nobody", []string{"X-Forwarded-For"}, false, http.Header{"X-Forwarded-For": {"10.9.9.9, unknown"}}, connection},
		{"nor what is missing", []string{"X-Forwarded-For"}, false, http.Header{"X-Forwarded-For": {"10.9.9.9, "}}, connection},
		{"nor another header", []string{"X-Forwarded-For", "X-Real-Ip"}, false, http.Header{"X-Forwarded-For": {"unknown"}, "X-Real-Ip": {"10.9.9.9"}}, connection},
		{"the next header", []string{"Cf-Connecting-Ip", "X-Forwarded-For"}, false, http.Header{"X-Forwarded-For": {"1.2.3.4"}}, "1.2.3.4"},
		{"an empty header", []string{"Cf-Connecting-Ip", "X-Forwarded-For"}, false, http.Header{"Cf-Connecting-Ip": {""}, "X-Forwarded-For": {"1.2.3.4"}}, "1.2.3.4"},
		{"the first, where the settings say so", []string{"X-Forwarded-For"}, true, http.Header{"X-Forwarded-For": {"unknown, 1.2.3.4:80, 5.6.7.8"}}, "1.2.3.4"},
		{"the first of none", []string{"X-Forwarded-For"}, true, http.Header{"X-Forwarded-For": {"unknown, _hidden"}}, connection},
	}
	for _, test := range tests {
		settings := h.app.Settings()
		settings.TrustedProxy = core.TrustedProxyConfig{Headers: test.trusted, UseLeftmostIP: test.leftmost}
		event := &core.RequestEvent{App: h.app}
		event.Request = httptest.NewRequest("GET", "/", nil)
		event.Request.RemoteAddr = connection + ":1234"
		if test.headers != nil {
			event.Request.Header = test.headers
		}
		if got := clientAddress(event); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// A client behind the proxy cannot name the address that a key is bound to.
func TestNobodyClaimsAnAllowedAddress(t *testing.T) {
	h := newHouse(t, "TRUSTED_PROXY_HEADERS", "X-Forwarded-For")
	key, _ := h.keyWith(map[string]any{"scopes": []apikeys.Scope{apikeys.ScopeWalletRead}, "allowed_ips": []string{"10.9.9.9"}})
	from := func(forwarded, want string) {
		t.Helper()
		h.do("GET", "/api/wallet/balance", bearer(key), "", "X-Forwarded-For", forwarded).wantOutcome(want)
	}
	from("10.9.9.9", "200")
	from("1.2.3.4, 10.9.9.9:5555", "200")
	from("10.9.9.9, 1.2.3.4:5555", "403 forbidden")
	from("10.9.9.9, unknown", "403 forbidden")
}

// The variable is the source: what an earlier start trusted is trusted no more.
func TestAProxyIsNoLongerTrustedWithoutItsVariable(t *testing.T) {
	h := newHouse(t, "TRUSTED_PROXY_HEADERS", "X-Forwarded-For")
	if got := h.app.Settings().TrustedProxy.Headers; len(got) != 1 {
		t.Fatalf("trusted are %v", got)
	}
	without := h.server.config
	without.TrustedProxyHeaders = nil
	if err := applySettings(h.app, without); err != nil {
		t.Fatal(err)
	}
	if err := h.app.ReloadSettings(); err != nil {
		t.Fatal(err)
	}
	if got := h.app.Settings().TrustedProxy.Headers; len(got) != 0 {
		t.Errorf("without the variable %v are trusted", got)
	}
}
