package betterauth

import (
	"strings"
	"testing"
)

// The verdicts follow the library, but for the bound on the length.
func TestValidEmail(t *testing.T) {
	for email, want := range map[string]bool{
		"a@b.co": true, "a+b@c.com": true, "a'b@c.com": true, "a_b-c@c-d.com": true,
		"A@C.COM": true, "a@1.com": true, "-a@c.com": true, "a-@c.com": true, "'a@c.com": true,
		"+a@c.com": true, "_a@c.com": true, "a_@c.com": true, "a+@c.com": true, "a@c.technology": true,
		"a@c-.com": true, "a.b.c@d.e.com": true, "a'.b@c.com": true,
		"a@" + strings.Repeat("x", 70) + ".com": true,

		"": false, "@": false, "a": false, "a@": false, "@c.com": false, "a@b": false, "a@b.c": false, "a@.com": false,
		"a..b@c.com": false, "a.@c.com": false, ".a@c.com": false, "a'@c.com": false, "'@c.com": false,
		"ü@c.com": false, "a@ü.com": false, "a@-c.com": false, "a@b_c.com": false, "a@c..com": false,
		"a b@c.com": false, " a@c.com": false, "a@c.com ": false, "a@c.com\n": false, "a\x00@c.com": false,
		"a@c.c1": false, "a@c.1c": false, "a@c.com.": false, "a@[1.2.3.4]": false, "a@1.2.3.4": false,
		"a!b@c.com": false, "a/b@c.com": false, "a&b@c.com": false, `"a"@c.com`: false, "a@b.xn--p1ai": false,
		"a@b@c.com": false, "a@b.com@c.com": false, "Ada <a@b.com>": false, "a@b.com,c@d.com": false,

		strings.Repeat("x", MaxEmailLength-len("@c.com")) + "@c.com":   true,
		strings.Repeat("x", MaxEmailLength-len("@c.com")+1) + "@c.com": false,
	} {
		if got := ValidEmail(email); got != want {
			t.Errorf("ValidEmail(%q) = %v, want %v", email, got, want)
		}
	}
}
