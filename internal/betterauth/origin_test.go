package betterauth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func mustOrigins(t *testing.T, list ...string) Origins {
	t.Helper()
	origins, err := NewOrigins(list)
	if err != nil {
		t.Fatal(err)
	}
	return origins
}

func TestTrusted(t *testing.T) {
	origins := mustOrigins(t,
		"http://localhost:5173", " https://App.Example.com/ ", "", "HTTP://plain.example:80", "https://odd.example:443",
		"http://crossed.example:443", "http://[::1]:8090", "chrome-extension://abcdefghijklmnop", "file://")
	for origin, want := range map[string]bool{
		"http://localhost:5173":                     true,
		"http://LOCALHOST:5173":                     true,
		"HTTP://localhost:5173":                     true,
		"http://localhost:5173/":                    true,
		"http://localhost:05173":                    true,
		"https://app.example.com":                   true,
		"https://app.example.com:443":               true,
		"http://plain.example":                      true,
		"https://odd.example":                       true,
		"http://crossed.example:443":                true,
		"http://[::1]:8090":                         true,
		"chrome-extension://abcdefghijklmnop":       true,
		"file://":                                   true,
		"file:///":                                  true,
		"":                                          false,
		"null":                                      false,
		"*":                                         false,
		"/":                                         false,
		"localhost:5173":                            false,
		"//localhost:5173":                          false,
		"http:localhost:5173":                       false,
		"http:/localhost:5173":                      false,
		"http:///localhost:5173":                    false,
		"http://localhost":                          false,
		"http://localhost:":                         false,
		"http://localhost:51730":                    false,
		"http://localhost:517":                      false,
		"http://localhost:99999":                    false,
		"http://localhost:-1":                       false,
		"https://localhost:5173":                    false,
		"http://localhost:5173/x":                   false,
		"http://localhost:5173?x":                   false,
		"http://localhost:5173#x":                   false,
		"http://localhost:5173@evil.example":        false,
		"http://user@localhost:5173":                false,
		"http://@localhost:5173":                    false,
		"http://localhost:5173.evil.example":        false,
		"http://localhost:5173\\@evil.example":      false,
		"http://localhost:5173\n":                   false,
		" http://localhost:5173":                    false,
		"http://localhost:5173, http://evil":        false,
		"http://app.example.com":                    false,
		"https://app.example.com:80":                false,
		"https://evil-app.example.com":              false,
		"https://app.example.com.evil":              false,
		"https://sub.app.example.com":               false,
		"https://app.example.com.":                  false,
		"https://ａpp.example.com":                   false,
		"https://app.example.com%00":                false,
		"http://crossed.example":                    false,
		"https://crossed.example":                   false,
		"http://[::1]":                              false,
		"http://[::1%25eth0]:8090":                  false,
		"http://::1:8090":                           false,
		"chrome-extension://other":                  false,
		"chrome-extension://":                       false,
		"chrome-extension:abcdefghijklmnop":         false,
		"file:":                                     false,
		"file://host":                               false,
		"file://:80":                                false,
		"http://:80":                                false,
		"http://" + strings.Repeat("a", 1<<20):      false,
		"https://app.example.com" + "\x00":          false,
		"javascript://localhost:5173/%0aalert(1)//": false,
	} {
		if got := origins.Trusted(origin); got != want {
			t.Errorf("Trusted(%.80q) = %v, want %v", origin, got, want)
		}
	}
}

func TestTrustedByNobody(t *testing.T) {
	for name, origins := range map[string]Origins{
		"zero value":  {},
		"no entries":  mustOrigins(t),
		"blank entry": mustOrigins(t, "", " "),
	} {
		for _, origin := range []string{"", " ", "null", "file://", "chrome-extension://abc", "http://localhost"} {
			if origins.Trusted(origin) {
				t.Errorf("%s: %q is trusted", name, origin)
			}
		}
	}
}

func TestNewOriginsRefusesWhatIsNoOrigin(t *testing.T) {
	for _, entry := range []string{
		"*", "null", "localhost", "localhost:5173", "example.com", "https://", "https://*.example.com", "https://a.example/path",
		"https://a.example?x=y", "https://a.example#x", "https://user:pass@a.example", "https://a.example:port", "https://a.example:70000",
		"http://a.example,http://b.example", "https://ä.example", "https://a.example:", "chrome-extension://", "https://" + strings.Repeat("a", maxURLLength),
	} {
		origins, err := NewOrigins([]string{"https://good.example", entry})
		if err == nil {
			t.Errorf("%q was accepted", entry)
			continue
		}
		if !strings.Contains(err.Error(), entry) {
			t.Errorf("the error does not name %q: %v", entry, err)
		}
		if origins.Trusted("https://good.example") {
			t.Errorf("%q: a failed set trusts origins", entry)
		}
	}
}

func TestCheckOrigin(t *testing.T) {
	const self = "https://api.example.com"
	trusted := mustOrigins(t, "http://localhost:5173", "chrome-extension://abc", "file://")
	cookie := func(more ...string) []string { return append([]string{"Cookie", "a=b"}, more...) }
	for _, c := range []struct {
		name    string
		method  string
		headers []string
		want    error
	}{
		{"no cookie, no origin", "POST", nil, nil},
		{"no cookie, foreign origin", "POST", []string{"Origin", "https://evil.example"}, nil},
		{"trusted", "POST", cookie("Origin", "http://localhost:5173"), nil},
		{"trusted in upper case", "POST", cookie("Origin", "http://LOCALHOST:5173"), nil},
		{"self", "POST", cookie("Origin", "https://api.example.com"), nil},
		{"self with its port", "POST", cookie("Origin", "https://api.example.com:443"), nil},
		{"a listed extension", "POST", cookie("Origin", "chrome-extension://abc"), nil},
		{"a listed file", "POST", cookie("Origin", "file://"), nil},
		{"trusted referer", "POST", cookie("Referer", "http://localhost:5173/some/page?q=1#x"), nil},
		{"trusted referer, empty origin", "POST", cookie("Origin", "", "Referer", "http://localhost:5173/"), nil},
		{"self as referer", "DELETE", cookie("Referer", "https://api.example.com/portal"), nil},

		{"nothing said", "POST", cookie(), ErrMissingOrNullOrigin},
		{"an empty cookie header counts", "POST", []string{"Cookie", ""}, ErrMissingOrNullOrigin},
		{"null", "POST", cookie("Origin", "null"), ErrMissingOrNullOrigin},
		{"null with a trusted referer", "POST", cookie("Origin", "null", "Referer", "http://localhost:5173/x"), ErrMissingOrNullOrigin},
		{"null as referer", "POST", cookie("Referer", "null"), ErrMissingOrNullOrigin},
		{"nothing said, PATCH", "PATCH", cookie(), ErrMissingOrNullOrigin},
		{"nothing said, a made-up method", "BREW", cookie(), ErrMissingOrNullOrigin},

		{"foreign", "POST", cookie("Origin", "https://evil.example"), ErrInvalidOrigin},
		{"foreign, PUT", "PUT", cookie("Origin", "https://evil.example"), ErrInvalidOrigin},
		{"foreign with a trusted referer", "POST", cookie("Origin", "https://evil.example", "Referer", "http://localhost:5173/"), ErrInvalidOrigin},
		{"foreign referer", "POST", cookie("Referer", "https://evil.example/http://localhost:5173/"), ErrInvalidOrigin},
		{"a referer that is none", "POST", cookie("Referer", "nonsense"), ErrInvalidOrigin},
		{"self on http", "POST", cookie("Origin", "http://api.example.com"), ErrInvalidOrigin},
		{"another extension", "POST", cookie("Origin", "chrome-extension://abd"), ErrInvalidOrigin},
		{"two origins", "POST", cookie("Origin", "http://localhost:5173", "Origin", "https://evil.example"), ErrInvalidOrigin},
		{"one origin twice", "POST", cookie("Origin", "http://localhost:5173", "Origin", "http://localhost:5173"), ErrInvalidOrigin},

		{"reading", "GET", cookie("Origin", "https://evil.example"), nil},
		{"reading, nothing said", "GET", cookie(), nil},
		{"reading the head", "HEAD", cookie("Origin", "https://evil.example"), nil},
		{"a preflight", "OPTIONS", cookie("Origin", "https://evil.example"), nil},
		{"a foreign WebSocket", "GET", cookie("Upgrade", "websocket", "Origin", "https://evil.example"), ErrInvalidOrigin},
		{"a WebSocket that says nothing", "GET", cookie("Upgrade", "websocket"), ErrMissingOrNullOrigin},
		{"a trusted WebSocket", "GET", cookie("Upgrade", "websocket", "Origin", "http://localhost:5173"), nil},
		{"a WebSocket without cookies", "GET", []string{"Upgrade", "websocket", "Origin", "https://evil.example"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := CheckOrigin(requestWith(c.method, c.headers), self, trusted); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// An unknown own origin must not make everything that is no origin look like it.
func TestCheckOriginWithoutSelf(t *testing.T) {
	for _, self := range []string{"", "null", "nonsense", "://"} {
		for _, origin := range []string{"nonsense", "://", "https://evil.example", "file://"} {
			r := requestWith("POST", []string{"Cookie", "a=b", "Origin", origin})
			if err := CheckOrigin(r, self, Origins{}); err != ErrInvalidOrigin {
				t.Errorf("self %q, origin %q: got %v", self, origin, err)
			}
		}
	}
}

func TestCheckFirstLogin(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []string
		want    error
	}{
		{"no metadata", nil, nil},
		{"a foreign page's form", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, ErrCrossSiteNavigationLoginBlocked},
		{"the same with an origin", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", "http://localhost:5173"}, ErrCrossSiteNavigationLoginBlocked},
		{"with cookies it is CheckOrigin's", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Cookie", "a=b"}, nil},
		{"a script on another site", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}, nil},
		{"the own form", []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate"}, nil},
		{"typed by the user", []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"}, nil},
		{"only the site", []string{"Sec-Fetch-Site", "cross-site"}, nil},
		{"only the mode", []string{"Sec-Fetch-Mode", "navigate"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := CheckFirstLogin(requestWith("POST", c.headers)); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestMayKeepCookie(t *testing.T) {
	const self, frontend = "http://localhost:8090", "http://localhost:5173"
	trusted, err := NewOrigins([]string{frontend})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method string
		headers      []string
		want         bool
	}{
		{"a client that is no browser", "POST", nil, true},
		{"the frontend", "POST", []string{"Origin", frontend}, true},
		{"a page from here", "POST", []string{"Origin", self}, true},
		{"a page of the frontend, by its address", "POST", []string{"Referer", frontend + "/sign-in"}, true},
		{"another page", "POST", []string{"Origin", "https://evil.example"}, false},
		{"another page, by its address", "POST", []string{"Referer", "https://evil.example/"}, false},
		{"a neighbour", "POST", []string{"Origin", "http://localhost:5174"}, false},
		{"a page that hides", "POST", []string{"Origin", "null"}, false},
		{"a page that hides behind an address", "POST", []string{"Origin", "null", "Referer", frontend + "/"}, false},
		{"two origins", "POST", []string{"Origin", frontend, "Origin", "https://evil.example"}, false},
		{"no origin at all", "POST", []string{"Origin", "frontend"}, false},
		{"a link", "GET", []string{"Referer", "https://provider.example/"}, true},
		{"an upgrade", "GET", []string{"Upgrade", "websocket", "Origin", "https://evil.example"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := MayKeepCookie(requestWith(c.method, c.headers), self, trusted); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func requestWith(method string, headers []string) *http.Request {
	r := httptest.NewRequest(method, "/api/auth/sign-in/email", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}
