package betterauth

import (
	"net/url"
	"strings"
	"testing"
)

// Recorded from Better Auth 1.7.25 and 1.4.3, both with this secret.
const (
	recordedSecret = "test-secret-test-secret-test-secret-32"
	recordedToken  = "9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI"
	recordedSigned = "9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI.34NR5XwcNsAY1Q3qsdK+84tyBifThtBFWSP7ojFsim4="
	encodedToken   = "GK2cZ8vUr0W38RTz0v2gKzCImxEqzAGF"
	encodedSigned  = "GK2cZ8vUr0W38RTz0v2gKzCImxEqzAGF.%2BQFsu2ECplMWB%2F8KjVmpwMg3TV6MYua9N9T2V%2BDW7Q8%3D"
)

func secrets(texts ...string) [][]byte {
	list := make([][]byte, 0, len(texts))
	for _, text := range texts {
		list = append(list, []byte(text))
	}
	return list
}

func TestSignAsRecorded(t *testing.T) {
	for token, want := range map[string]string{
		recordedToken:                      recordedSigned,
		"suSbWwStcSGeT3viYsxn02DoQbGIkghK": "suSbWwStcSGeT3viYsxn02DoQbGIkghK.dgMV6xtayF4Pe3cdfJLgsz16S8CnKhkwzVlHl1AQx1A=",
		"aBcDeFgHiJkLmNoPqRsTuVwXyZ012345": "aBcDeFgHiJkLmNoPqRsTuVwXyZ012345.6A4iF3Hd2jWiSYOSt/032D2CHPzgimNl1def8g5u7ko=",
		"true":                             "true.4uilASzGMMtFOKOWNVuyeysYur+aPhjDfC7nbfKiUqE=",
	} {
		if got := Sign([]byte(recordedSecret), token); got != want {
			t.Errorf("Sign(%q)\n got %s\nwant %s", token, got, want)
		}
	}
}

func TestVerifyAccepts(t *testing.T) {
	for _, c := range []struct {
		name    string
		secrets [][]byte
		signed  string
		want    string
	}{
		{"the recorded value", secrets(recordedSecret), recordedSigned, recordedToken},
		{"an older secret", secrets("new", recordedSecret), recordedSigned, recordedToken},
		{"the current of two secrets", secrets(recordedSecret, "old"), recordedSigned, recordedToken},
		{"the same secret twice", secrets(recordedSecret, recordedSecret), recordedSigned, recordedToken},
		{"dots before the last", secrets("s"), Sign([]byte("s"), "a.b.c"), "a.b.c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if token, ok := Verify(c.secrets, c.signed); !ok || token != c.want {
				t.Errorf("got %q, %v", token, ok)
			}
		})
	}
}

// refusedSigned is what no one may accept as a signed session token.
var refusedSigned = map[string]string{
	"empty":                   "",
	"a dot":                   ".",
	"no dot":                  "9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI34NR5XwcNsAY1Q3qsdK+84tyBifThtBFWSP7ojFsim4=",
	"an empty signature":      recordedToken + ".",
	"an empty token, signed":  Sign([]byte(recordedSecret), ""),
	"no token":                ".34NR5XwcNsAY1Q3qsdK+84tyBifThtBFWSP7ojFsim4=",
	"another first character": recordedToken + ".44NR5XwcNsAY1Q3qsdK+84tyBifThtBFWSP7ojFsim4=",
	"another last character":  recordedToken + ".34NR5XwcNsAY1Q3qsdK+84tyBifThtBFWSP7ojFsim8=",
	// The last character carries two unused bits: "5" decodes to the same bytes.
	"unused bits set":      recordedToken + ".34NR5XwcNsAY1Q3qsdK+84tyBifThtBFWSP7ojFsim5=",
	"another token":        "8c8xVWYq9f512D6WqA6l9FzY1r5VwSgI.34NR5XwcNsAY1Q3qsdK+84tyBifThtBFWSP7ojFsim4=",
	"no padding":           strings.TrimSuffix(recordedSigned, "="),
	"more padding":         recordedSigned + "=",
	"URL-safe base64":      strings.ReplaceAll(recordedSigned, "+", "-"),
	"a space for the plus": strings.ReplaceAll(recordedSigned, "+", " "),
	"a dot behind":         recordedSigned + ".",
	"two signatures":       recordedSigned + ".34NR5XwcNsAY1Q3qsdK+84tyBifThtBFWSP7ojFsim4=",
	"over-long":            strings.Repeat("A", 1<<20) + "." + recordedSigned,
	"signed by nobody":     Sign(nil, recordedToken),
	"signed by another":    Sign([]byte("another"), recordedToken),
}

func TestVerifyRefuses(t *testing.T) {
	for name, signed := range refusedSigned {
		t.Run(name, func(t *testing.T) {
			if token, ok := Verify(secrets(recordedSecret, ""), signed); ok || token != "" {
				t.Errorf("accepted as %q", token)
			}
		})
	}
}

func TestVerifyRefusesOverLongInputEvenWhenSigned(t *testing.T) {
	longest := strings.Repeat("A", maxCredentialLength-len(".")-44)
	if _, ok := Verify(secrets("s"), Sign([]byte("s"), longest)); !ok {
		t.Error("a value of the greatest length was refused")
	}
	if _, ok := Verify(secrets("s"), Sign([]byte("s"), longest+"A")); ok {
		t.Error("a value beyond the greatest length was accepted")
	}
}

func TestVerifyNeedsASecret(t *testing.T) {
	for name, list := range map[string][][]byte{
		"no list":      nil,
		"empty list":   {},
		"nil secret":   {nil},
		"empty secret": {{}},
	} {
		if _, ok := Verify(list, Sign(nil, recordedToken)); ok {
			t.Errorf("%s: a signature that everybody can make was accepted", name)
		}
		if _, ok := Verify(list, recordedSigned); ok {
			t.Errorf("%s: accepted without a secret", name)
		}
	}
}

func TestParseBearerAccepts(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"signed", recordedSigned, recordedToken},
		{"signed, percent-encoded", encodedSigned, encodedToken},
		{"percent-encoded in lower case", strings.NewReplacer("%2B", "%2b", "%2F", "%2f", "%3D", "%3d").Replace(encodedSigned), encodedToken},
		{"percent-encoded throughout", "%39" + recordedSigned[1:], recordedToken},
		{"raw", recordedToken, recordedToken},
		{"space around", "  " + recordedSigned + " ", recordedToken},
		{"space around raw", " " + recordedToken + "\t", recordedToken},
	} {
		t.Run(c.name, func(t *testing.T) {
			if token, ok := ParseBearer(secrets("new", recordedSecret), c.value); !ok || token != c.want {
				t.Errorf("got %q, %v", token, ok)
			}
		})
	}
}

func TestParseBearerRefuses(t *testing.T) {
	values := map[string]string{
		"bogus":                       "bogus",
		"with its scheme":             "Bearer " + recordedSigned,
		"raw with a percent sign":     "%39" + recordedToken[1:],
		"encoded twice":               strings.ReplaceAll(encodedSigned, "%", "%25"),
		"a broken escape":             encodedSigned[:len(encodedSigned)-1],
		"a broken escape of two":      encodedSigned[:len(encodedSigned)-2] + "zz",
		"an API key":                  "sk-sokuji-0123456789",
		"a JWT":                       "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjEifQ.c2lnbmF0dXJl",
		"the signed dont_remember":    Sign([]byte(recordedSecret), "true"),
		"a signed text of 33 letters": Sign([]byte(recordedSecret), recordedToken+"A"),
	}
	for name, signed := range refusedSigned {
		values[name] = signed
		values[name+", encoded"] = url.PathEscape(signed)
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			if token, ok := ParseBearer(secrets(recordedSecret, ""), value); ok || token != "" {
				t.Errorf("accepted as %q", token)
			}
		})
	}
}

func FuzzParseBearer(f *testing.F) {
	f.Add(recordedSigned)
	f.Add(encodedSigned)
	f.Add(recordedToken)
	f.Add(" " + recordedToken + " ")
	f.Add("%")
	f.Add("%zz." + recordedSigned)
	for _, signed := range refusedSigned {
		f.Add(signed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		token, ok := ParseBearer(secrets(recordedSecret), value)
		if !ok {
			if token != "" {
				t.Fatalf("refused, yet a token: %q", token)
			}
			return
		}
		if !IsRawToken(token) {
			t.Fatalf("%q gave %q, which is no token", value, token)
		}
		trimmed := strings.TrimSpace(value)
		decoded, err := url.PathUnescape(trimmed)
		isSigned := err == nil && decoded == Sign([]byte(recordedSecret), token)
		if trimmed != token && !isSigned {
			t.Fatalf("%q was accepted, but is neither raw nor signed", value)
		}
	})
}
