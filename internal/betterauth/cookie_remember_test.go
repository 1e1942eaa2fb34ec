package betterauth

import (
	"net/http/httptest"
	"testing"
)

const (
	markSecret = "test-secret-test-secret-test-secret-32"
	// recordedMark is what 1.7.25 set with that secret.
	recordedMark = "true.4uilASzGMMtFOKOWNVuyeysYur%2BaPhjDfC7nbfKiUqE%3D"
)

func TestDontRememberAsRecorded(t *testing.T) {
	for secure, want := range map[bool]string{
		false: "better-auth.dont_remember=" + recordedMark + "; Path=/; HttpOnly; SameSite=Lax",
		true:  "__Secure-better-auth.dont_remember=" + recordedMark + "; Path=/; HttpOnly; Secure; SameSite=Lax",
	} {
		if got := DontRemember(secure, []byte(markSecret)); got != want {
			t.Errorf("secure %v:\n got %s\nwant %s", secure, got, want)
		}
	}
	for secure, want := range map[bool]string{
		false: "better-auth.dont_remember=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
		true:  "__Secure-better-auth.dont_remember=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
	} {
		if got := ExpiredDontRemember(secure); got != want {
			t.Errorf("expired, secure %v:\n got %s\nwant %s", secure, got, want)
		}
	}
}

func TestAsksNotToRemember(t *testing.T) {
	secrets := [][]byte{[]byte("the secret that signs now"), []byte(markSecret)}
	for name, c := range map[string]struct {
		cookie string
		want   bool
	}{
		"as recorded":              {"better-auth.dont_remember=" + recordedMark, true},
		"under the secure name":    {"__Secure-better-auth.dont_remember=" + recordedMark, true},
		"beside others":            {"a=b; better-auth.dont_remember=" + recordedMark + "; c=d", true},
		"a valid one after a bad":  {"better-auth.dont_remember=true.x; better-auth.dont_remember=" + recordedMark, true},
		"none":                     {"a=b", false},
		"empty":                    {"better-auth.dont_remember=", false},
		"unsigned":                 {"better-auth.dont_remember=true", false},
		"another signature":        {"better-auth.dont_remember=true.5uilASzGMMtFOKOWNVuyeysYur%2BaPhjDfC7nbfKiUqE%3D", false},
		"another value, signed":    {"better-auth.dont_remember=" + encodeURIComponent(Sign([]byte(markSecret), "false")), false},
		"a session's signed token": {"better-auth.dont_remember=" + encodeURIComponent(Sign([]byte(markSecret), "9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI")), false},
		"a foreign secret":         {"better-auth.dont_remember=" + encodeURIComponent(Sign([]byte("foreign"), "true")), false},
		"broken escapes":           {"better-auth.dont_remember=true%", false},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest("GET", "/", nil)
			request.Header.Set("Cookie", c.cookie)
			if got := AsksNotToRemember(secrets, request); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if token, _, ok := FromCookies(secrets, request, false); ok {
				t.Errorf("the mark passes for the session %q", token)
			}
		})
	}
}

// Whatever stands in a Cookie header, only a mark that a secret signed counts.
func FuzzAsksNotToRemember(f *testing.F) {
	f.Add("better-auth.dont_remember=" + recordedMark)
	f.Add("better-auth.dont_remember=true.; __Secure-better-auth.dont_remember=%00")
	f.Add("better-auth.dont_remember=\"" + recordedMark + "\"")
	f.Add("")
	secrets, foreign := [][]byte{[]byte(markSecret)}, [][]byte{[]byte("another secret"), nil}
	f.Fuzz(func(t *testing.T, cookies string) {
		request := httptest.NewRequest("GET", "/", nil)
		request.Header.Set("Cookie", cookies)
		AsksNotToRemember(secrets, request)
		if AsksNotToRemember(foreign, request) {
			t.Errorf("%q is a mark under a secret that signed none", cookies)
		}
	})
}
