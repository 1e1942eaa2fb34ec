package betterauth

import (
	"strings"
	"testing"
)

func TestCheckCallbackURL(t *testing.T) {
	trusted := mustOrigins(t, "http://localhost:5173", "chrome-extension://abc")
	for address, good := range map[string]bool{
		"":                                  true,
		"/":                                 true,
		"/dash":                             true,
		"/dash?tab=1&next=https://e.com":    true,
		"/dash?next=%2Fother":               true,
		"/dash#a/b":                         true,
		"/a%20b":                            true,
		"/ü":                                true,
		"http://localhost:5173":             true,
		"http://localhost:5173/a?b#c":       true,
		"http://LOCALHOST:5173/a":           true,
		"https://api.example.com/portal":    true,
		"https://api.example.com:443/x":     true,
		"chrome-extension://abc/popup.html": true,

		"dash":                                false,
		"//evil.example":                      false,
		"///evil.example":                     false,
		"/\\evil.example":                     false,
		"\\\\evil.example":                    false,
		"/%2fevil.example":                    false,
		"/a%2F..%2F":                          false,
		"/%5Cevil.example":                    false,
		"/%zz":                                false,
		"/\t/evil.example":                    false,
		"/\r\nLocation: https://evil.example": false,
		"/a\u0085b":                           false,
		"\x00/":                               false,
		" /dash":                              false,
		"https://evil.example":                false,
		"https://evil.example/http://localhost:517": false,
		"http://localhost:5173@evil.example/":       false,
		"http://localhost:5173\\@evil.example/":     false,
		"http://localhost:51730/":                   false,
		"http:localhost:5173":                       false,
		"http:/localhost:5173":                      false,
		"http://api.example.com/":                   false,
		"chrome-extension://abd/popup.html":         false,
		"javascript:alert(1)":                       false,
		"javascript://localhost:5173/%0aalert(1)":   false,
		"data:text/html,x":                          false,
		"file:///etc/passwd":                        false,
		"/" + strings.Repeat("a", maxURLLength):     false,
	} {
		want := error(nil)
		if !good {
			want = ErrInvalidCallbackURL
		}
		if got := CheckCallbackURL(address, "https://api.example.com", trusted); got != want {
			t.Errorf("%.80q: got %v, want %v", address, got, want)
		}
	}
}

func TestCheckCallbackURLAtTheBound(t *testing.T) {
	longest := "/" + strings.Repeat("a", maxURLLength-1)
	if err := CheckCallbackURL(longest, "", Origins{}); err != nil {
		t.Errorf("a path of the greatest length: %v", err)
	}
}
