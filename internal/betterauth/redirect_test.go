package betterauth

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestWithQuery(t *testing.T) {
	for _, c := range []struct{ address, name, value, want string }{
		{"/reset", "token", "abc", "/reset?token=abc"},
		{"/reset?", "token", "abc", "/reset?token=abc"},
		{"/reset?a=1", "token", "abc", "/reset?a=1&token=abc"},
		{"/reset?a=1&", "token", "abc", "/reset?a=1&token=abc"},
		{"/x?a=1", "error", "INVALID_TOKEN", "/x?a=1&error=INVALID_TOKEN"},                                     // as recorded
		{"http://localhost:5173/reset?x=1#frag", "token", "K", "http://localhost:5173/reset?x=1&token=K#frag"}, // as recorded
		{"https://app.example", "token", "abc", "https://app.example?token=abc"},
		{"sokuji://reset", "token", "abc", "sokuji://reset?token=abc"},
		{"/reset#top?token=x", "token", "abc", "/reset?token=abc#top?token=x"},
		{"/reset#", "token", "abc", "/reset?token=abc#"},
		{"/reset?token=theirs", "token", "ours", "/reset?token=ours"},
		{"/reset?token=theirs&a=1&token=more", "token", "ours", "/reset?a=1&token=ours"},
		{"/reset?tok%65n=theirs", "token", "ours", "/reset?token=ours"},
		{"/reset?token", "token", "ours", "/reset?token=ours"},
		{"/reset?tokens=1&Token=2", "token", "ours", "/reset?tokens=1&Token=2&token=ours"},
		{"/reset?a=%zz", "token", "ours", "/reset?a=%zz&token=ours"},
		{"/reset?a=b=c", "token", "a b&c=d#e+é", "/reset?a=b=c&token=a%20b%26c%3Dd%23e%2B%C3%A9"},
	} {
		if got := WithQuery(c.address, c.name, c.value); got != c.want {
			t.Errorf("%s with %s:\n got %s\nwant %s", c.address, c.name, got, c.want)
		}
	}
}

func TestCheckRedirectTo(t *testing.T) {
	trusted, err := NewOrigins([]string{"https://app.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, good := range []string{"", "/reset", "https://app.example/reset", "https://api.example/reset"} {
		if err := CheckRedirectTo(good, "https://api.example", trusted); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
	for _, bad := range []string{"//evil.example", "https://evil.example", "javascript:alert(1)", "/\\evil.example", "reset"} {
		if err := CheckRedirectTo(bad, "https://api.example", trusted); !errors.Is(err, ErrInvalidRedirectURL) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func TestMailLink(t *testing.T) {
	for _, c := range []struct {
		base, route string
		parameters  []string
		want        string
	}{
		{"http://localhost:3000", "reset-password/KCDh0yYdJaBUm0WxUozLJzW5", []string{"callbackURL", "http://localhost:5173/reset?x=1#frag"},
			"http://localhost:3000/api/auth/reset-password/KCDh0yYdJaBUm0WxUozLJzW5?callbackURL=http%3A%2F%2Flocalhost%3A5173%2Freset%3Fx%3D1%23frag"}, // as recorded
		{"https://api.example/", "verify-email", []string{"token", "a.b.c", "callbackURL", "/"},
			"https://api.example/api/auth/verify-email?token=a.b.c&callbackURL=%2F"},
		{"https://api.example", "ok", nil, "https://api.example/api/auth/ok"},
	} {
		if got := MailLink(c.base, c.route, c.parameters...); got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
}

// What is added to a trusted address neither leads elsewhere nor shares its name
// with anything that was there.
func FuzzWithQuery(f *testing.F) {
	f.Add("/reset?token=x&a=1#top", "value")
	f.Add("https://app.example?%74oken=1", "a&b")
	f.Add("/?&&=&token==", "#")
	trusted, err := NewOrigins([]string{"https://app.example"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, address, value string) {
		if address == "" || CheckCallbackURL(address, "https://api.example", trusted) != nil {
			return
		}
		got := WithQuery(address, "token", value)
		if err := CheckCallbackURL(got, "https://api.example", trusted); err != nil && len(got) <= maxURLLength {
			t.Fatalf("%q became %q, which is refused", address, got)
		}
		_, query, _ := strings.Cut(got, "?")
		query, _, _ = strings.Cut(query, "#")
		var found []string
		for parameter := range strings.SplitSeq(query, "&") {
			if name, content, _ := strings.Cut(parameter, "="); parameterName(name) == "token" {
				found = append(found, content)
			}
		}
		if len(found) != 1 {
			t.Fatalf("%q has %d tokens", got, len(found))
		}
		if decoded, err := url.PathUnescape(found[0]); err != nil || decoded != value {
			t.Fatalf("%q brings %q, want %q (%v)", got, decoded, value, err)
		}
	})
}
