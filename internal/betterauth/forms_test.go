package betterauth

import (
	"errors"
	"strings"
	"testing"
)

const longPassword = "correct horse battery staple"

func text(s string) *string { return &s }

func boolean(b bool) *bool { return &b }

func equal[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func equalSignUp(a, b SignUp) bool {
	return a.Name == b.Name && a.Email == b.Email && a.Password == b.Password &&
		equal(a.Image, b.Image) && equal(a.CallbackURL, b.CallbackURL) && equal(a.RememberMe, b.RememberMe)
}

func equalSignIn(a, b SignIn) bool {
	return a.Email == b.Email && a.Password == b.Password &&
		equal(a.CallbackURL, b.CallbackURL) && equal(a.RememberMe, b.RememberMe)
}

func TestDecodeSignUp(t *testing.T) {
	ada := SignUp{Name: "Ada", Email: "ada@example.com", Password: "password123"}
	full := ada
	full.Image, full.CallbackURL, full.RememberMe = text("https://x/y.png"), text("/dash"), boolean(false)
	remembered := ada
	remembered.RememberMe = boolean(true)
	for _, c := range []struct {
		name, contentType, content string
		want                       SignUp
	}{
		{"JSON", jsonType, `{"name":"Ada","email":"ada@example.com","password":"password123"}`, ada},
		{"an e-mail in upper case", jsonType, `{"name":"Ada","email":"Ada@Example.COM","password":"password123"}`, ada},
		{"a charset", "Application/JSON; charset=utf-8", `{"name":"Ada","email":"ada@example.com","password":"password123"}`, ada},
		{"space around", jsonType, " \r\n\t{ \"name\" : \"Ada\" , \"email\":\"ada@example.com\",\"password\":\"password123\"}\n", ada},
		{"everything", jsonType, `{"rememberMe":false,"callbackURL":"/dash","image":"https://x/y.png","password":"password123","email":"ada@example.com","name":"Ada"}`, full},
		{"escapes", jsonType, `{"n\u0061me":"\u0041da","email":"ada@example.com","password":"password123"}`, ada},
		{"unknown fields", jsonType, `{"role":"admin","id":{"name":1},"x":[{"email":2}],"name":"Ada","email":"ada@example.com","password":"password123"}`, ada},
		{"unknown fields twice", jsonType, `{"x":1,"x":2,"name":"Ada","email":"ada@example.com","password":"password123"}`, ada},
		{"other cases are unknown fields", jsonType, `{"Name":1,"EMAIL":2,"name":"Ada","email":"ada@example.com","password":"password123","Password":3}`, ada},
		{"an empty name", jsonType, `{"name":"","email":"ada@example.com","password":"password123"}`, SignUp{Email: ada.Email, Password: ada.Password}},
		{"empty optional text", jsonType, `{"image":"","callbackURL":"","name":"Ada","email":"ada@example.com","password":"password123"}`,
			SignUp{Name: ada.Name, Email: ada.Email, Password: ada.Password, Image: text(""), CallbackURL: text("")}},
		{"a password stays as typed", jsonType, `{"name":"Ada","email":"ada@example.com","password":" pässwörd ﬁ "}`,
			SignUp{Name: ada.Name, Email: ada.Email, Password: " pässwörd ﬁ "}},
		{"half a surrogate pair", jsonType, `{"name":"A\ud800","email":"ada@example.com","password":"password123"}`,
			SignUp{Name: "A\ufffd", Email: ada.Email, Password: ada.Password}},

		{"a form", formType, "name=Ada&email=Ada%40example.com&password=password123", ada},
		{"a form with a charset", formType + "; charset=UTF-8", "name=Ada&email=ada%40example.com&password=password123", ada},
		{"a full form", formType, "name=Ada&email=ada%40example.com&password=password123&image=https%3A%2F%2Fx%2Fy.png&callbackURL=/dash&rememberMe=false", full},
		{"a form to remember", formType, "name=Ada&email=ada%40example.com&password=password123&rememberMe=true", remembered},
		{"a form with spaces", formType, "name=Ada+L&email=ada%40example.com&password=pass%20word+1", SignUp{Name: "Ada L", Email: ada.Email, Password: "pass word 1"}},
		{"a form with unknown fields", formType, "name=Ada&x=1&x=2&email=ada%40example.com&password=password123&Name=B", ada},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DecodeSignUp(c.contentType, []byte(c.content))
			if err != nil {
				t.Fatal(err)
			}
			if !equalSignUp(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// Messages are the library's own, but for bounds and repetitions, which it lacks.
func TestDecodeSignUpRefuses(t *testing.T) {
	const rest = `"email":"ada@example.com","password":"password123"}`
	valid := `{"name":"Ada",` + rest
	for _, c := range []struct {
		name, contentType, content string
		want                       Error
	}{
		{"as recorded: no address", jsonType, `{"name":"Ada","email":"nope","password":"password123"}`,
			ValidationError("[body.email] Invalid email address")},
		{"as recorded: only an address", jsonType, `{"email":"ada@example.com"}`,
			ValidationError("[body.name] Invalid input: expected string, received undefined; [body.password] Invalid input: expected string, received undefined")},
		{"as recorded: a short password", jsonType, `{"name":"Ada","email":"ada@example.com","password":"short"}`, ErrPasswordTooShort},

		{"nothing in it", jsonType, `{}`,
			ValidationError("[body.name] Invalid input: expected string, received undefined; [body.email] Invalid input: expected string, received undefined; [body.password] Invalid input: expected string, received undefined")},
		{"nothing in the form", formType, "",
			ValidationError("[body.name] Invalid input: expected string, received undefined; [body.email] Invalid input: expected string, received undefined; [body.password] Invalid input: expected string, received undefined")},
		{"numbers, in the schema's order", jsonType, `{"password":1,"email":2,"name":3,"image":4,"callbackURL":5,"rememberMe":6}`,
			ValidationError("[body.name] Invalid input: expected string, received number; [body.email] Invalid input: expected string, received number; [body.password] Invalid input: expected string, received number; [body.image] Invalid input: expected string, received number; [body.callbackURL] Invalid input: expected string, received number; [body.rememberMe] Invalid input: expected boolean, received number")},
		{"a boolean", jsonType, `{"name":true,` + rest, ValidationError("[body.name] Invalid input: expected string, received boolean")},
		{"null", jsonType, `{"name":null,` + rest, ValidationError("[body.name] Invalid input: expected string, received null")},
		{"an object", jsonType, `{"name":{"a":"b"},` + rest, ValidationError("[body.name] Invalid input: expected string, received object")},
		{"an array", jsonType, `{"name":["Ada"],` + rest, ValidationError("[body.name] Invalid input: expected string, received array")},
		{"a fraction", jsonType, `{"name":-1.5e999,` + rest, ValidationError("[body.name] Invalid input: expected string, received number")},
		{"a null image", jsonType, `{"name":"Ada","image":null,` + rest, ValidationError("[body.image] Invalid input: expected string, received null")},
		{"a null address to go to", jsonType, `{"name":"Ada","callbackURL":null,` + rest, ValidationError("[body.callbackURL] Invalid input: expected string, received null")},
		{"a null flag", jsonType, `{"name":"Ada","rememberMe":null,` + rest, ValidationError("[body.rememberMe] Invalid input: expected boolean, received null")},
		{"a flag as text", jsonType, `{"name":"Ada","rememberMe":"true",` + rest, ValidationError("[body.rememberMe] Invalid input: expected boolean, received string")},
		{"a flag as another word", formType, "name=Ada&email=ada%40example.com&password=password123&rememberMe=on", ValidationError("[body.rememberMe] Invalid input: expected boolean, received string")},
		{"an empty password", jsonType, `{"name":"Ada","email":"ada@example.com","password":""}`,
			ValidationError("[body.password] Too small: expected string to have >=1 characters")},
		{"no address and an empty password", jsonType, `{"name":"Ada","email":"x","password":""}`,
			ValidationError("[body.email] Invalid email address; [body.password] Too small: expected string to have >=1 characters")},
		{"no address before a short password", jsonType, `{"name":"Ada","email":"x","password":"short"}`, ValidationError("[body.email] Invalid email address")},
		{"an empty address", jsonType, `{"name":"Ada","email":"","password":"password123"}`, ValidationError("[body.email] Invalid email address")},
		{"space around an address", jsonType, `{"name":"Ada","email":" ada@example.com ","password":"password123"}`, ValidationError("[body.email] Invalid email address")},
		{"a long password", jsonType, `{"name":"Ada","email":"ada@example.com","password":"` + strings.Repeat("a", 129) + `"}`, ErrPasswordTooLong},
		{"a long name", jsonType, `{"name":"` + strings.Repeat("é", 256) + `",` + rest, ValidationError("[body.name] Too big: expected string to have <=255 characters")},
		{"a long image", jsonType, `{"name":"Ada","image":"` + strings.Repeat("a", 2049) + `",` + rest, ValidationError("[body.image] Too big: expected string to have <=2048 characters")},
		{"a long address to go to", jsonType, `{"name":"Ada","callbackURL":"/` + strings.Repeat("a", 2048) + `",` + rest, ValidationError("[body.callbackURL] Too big: expected string to have <=2048 characters")},

		{"a field twice", jsonType, `{"name":"Eve",` + valid[1:], ValidationError("[body.name] Invalid input: field sent more than once")},
		{"a field twice, spelled differently", jsonType, `{"n\u0061me":1,` + valid[1:], ValidationError("[body.name] Invalid input: field sent more than once")},
		{"a form field twice", formType, "name=Ada&email=ada%40example.com&password=password123&email=eve%40example.com", ValidationError("[body.email] Invalid input: field sent more than once")},

		{"an array for a body", jsonType, `[` + valid + `]`, ValidationError("[body] Invalid input: expected object, received array")},
		{"null for a body", jsonType, ` null`, ValidationError("[body] Invalid input: expected object, received null")},
		{"text for a body", jsonType, `"name"`, ValidationError("[body] Invalid input: expected object, received string")},
		{"a number for a body", jsonType, `12`, ValidationError("[body] Invalid input: expected object, received number")},
		{"a boolean for a body", jsonType, `false`, ValidationError("[body] Invalid input: expected object, received boolean")},
		{"no body", "", ``, ValidationError("[body] Invalid input: expected object, received undefined")},
		{"an empty body", jsonType, ``, ErrInvalidJSON},
		{"half a body", jsonType, valid[:len(valid)-1], ErrInvalidJSON},
		{"something behind the body", jsonType, valid + "x", ErrInvalidJSON},
		{"two bodies", jsonType, valid + valid, ErrInvalidJSON},
		{"a comma too many", jsonType, `{"name":"Ada",` + rest[:len(rest)-1] + `,}`, ErrInvalidJSON},
		{"NaN", jsonType, `{"name":NaN,` + rest, ErrInvalidJSON},
		{"single quotes", jsonType, `{'name':'Ada'}`, ErrInvalidJSON},
		{"nested without end", jsonType, `{"name":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `,` + rest, ErrInvalidJSON},
		{"a form called JSON", jsonType, "name=Ada", ErrInvalidJSON},
		{"bytes that are no text", jsonType, "{\"name\":\"\xff\"," + rest, ErrInvalidText},
		{"bytes in a form that are no text", formType, "name=%ff&email=ada%40example.com&password=password123", ErrInvalidText},
		{"a broken escape", formType, "name=%zz&email=ada%40example.com&password=password123", ErrInvalidForm},
		{"a semicolon", formType, "name=Ada;email=ada%40example.com&password=password123", ErrInvalidForm},
		{"too much", jsonType, valid + strings.Repeat(" ", MaxBodyLength), ErrPayloadTooLarge},
		{"too much of another type", "text/plain", strings.Repeat(" ", MaxBodyLength+1), ErrPayloadTooLarge},

		{"no content type", "", valid, UnsupportedMediaType("", formType, jsonType)},
		{"plain text", "text/plain", valid, UnsupportedMediaType("text/plain", formType, jsonType)},
		{"another JSON", "application/vnd.api+json", valid, UnsupportedMediaType("application/vnd.api+json", formType, jsonType)},
		{"JSON in a parameter", "text/plain; application/json", valid, UnsupportedMediaType("text/plain; application/json", formType, jsonType)},
		{"a longer name", "application/jsonp", valid, UnsupportedMediaType("application/jsonp", formType, jsonType)},
		{"a form of parts", "multipart/form-data; boundary=x", "--x--", UnsupportedMediaType("multipart/form-data; boundary=x", formType, jsonType)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DecodeSignUp(c.contentType, []byte(c.content))
			if err != error(c.want) {
				t.Errorf("\n got %v\nwant %v", err, c.want)
			}
			if !equalSignUp(got, SignUp{}) {
				t.Errorf("refused, yet it returned %+v", got)
			}
		})
	}
}

func TestDecodeSignUpTakesABodyOfTheGreatestLength(t *testing.T) {
	body := `{"name":"Ada","email":"ada@example.com","password":"password123"}`
	body += strings.Repeat(" ", MaxBodyLength-len(body))
	if _, err := DecodeSignUp(jsonType, []byte(body)); err != nil {
		t.Error(err)
	}
}

func TestDecodeSignUpTakesTheGreatestLengths(t *testing.T) {
	body := `{"name":"` + strings.Repeat("é", 255) + `","email":"ada@example.com","password":"` + strings.Repeat("a", 128) +
		`","image":"` + strings.Repeat("a", 2048) + `"}`
	if _, err := DecodeSignUp(jsonType, []byte(body)); err != nil {
		t.Error(err)
	}
}

func TestCheckPasswordLengthCountsAsJavaScript(t *testing.T) {
	for _, c := range []struct {
		name, password string
		want           error
	}{
		{"nothing", "", ErrPasswordTooShort},
		{"7", "1234567", ErrPasswordTooShort},
		{"8", "12345678", nil},
		{"8 of two bytes", strings.Repeat("é", 8), nil},
		{"7 of two bytes", strings.Repeat("é", 7), ErrPasswordTooShort},
		{"4 emoji are 8", strings.Repeat("😀", 4), nil},
		{"3 emoji are 6", strings.Repeat("😀", 3), ErrPasswordTooShort},
		{"3 emoji and a letter are 7", "😀😀😀a", ErrPasswordTooShort},
		{"128", strings.Repeat("a", 128), nil},
		{"129", strings.Repeat("a", 129), ErrPasswordTooLong},
		{"128 of three bytes", strings.Repeat("語", 128), nil},
		{"64 emoji are 128", strings.Repeat("😀", 64), nil},
		{"65 emoji are 130", strings.Repeat("😀", 65), ErrPasswordTooLong},
		{"bytes that are no text count one each", strings.Repeat("\xff", 8), nil},
		{"combining marks count", strings.Repeat("e\u0301", 4), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := CheckPasswordLength(c.password); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestDecodeSignIn(t *testing.T) {
	ada := SignIn{Email: "ada@example.com", Password: "password123"}
	full := ada
	full.CallbackURL, full.RememberMe = text("/dash"), boolean(false)
	for _, c := range []struct {
		name, contentType, content string
		want                       SignIn
	}{
		{"JSON", jsonType, `{"email":"ada@example.com","password":"password123"}`, ada},
		{"an e-mail in upper case", jsonType, `{"email":"ADA@example.com","password":"password123","name":7}`, ada},
		{"everything", jsonType, `{"email":"ada@example.com","password":"password123","callbackURL":"/dash","rememberMe":false}`, full},
		{"a form", formType, "email=ada%40example.com&password=password123", ada},
		{"a full form", formType, "email=ada%40example.com&password=password123&callbackURL=%2Fdash&rememberMe=false", full},
		{"a short password", jsonType, `{"email":"ada@example.com","password":"x"}`, SignIn{Email: ada.Email, Password: "x"}},
		{"no password at all", jsonType, `{"email":"ada@example.com","password":""}`, SignIn{Email: ada.Email}},
		{"a long password", jsonType, `{"email":"ada@example.com","password":"` + strings.Repeat("a", 500) + `"}`, SignIn{Email: ada.Email, Password: strings.Repeat("a", 500)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DecodeSignIn(c.contentType, []byte(c.content))
			if err != nil {
				t.Fatal(err)
			}
			if !equalSignIn(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestDecodeSignInRefuses(t *testing.T) {
	for _, c := range []struct {
		name, contentType, content string
		want                       Error
	}{
		{"nothing in it", jsonType, `{}`,
			ValidationError("[body.email] Invalid input: expected string, received undefined; [body.password] Invalid input: expected string, received undefined")},
		{"every type wrong", jsonType, `{"rememberMe":"x","callbackURL":null,"password":[],"email":1}`,
			ValidationError("[body.email] Invalid input: expected string, received number; [body.password] Invalid input: expected string, received array; [body.callbackURL] Invalid input: expected string, received null; [body.rememberMe] Invalid input: expected boolean, received string")},
		{"no address", jsonType, `{"email":"x","password":"y"}`, ErrInvalidEmail},
		{"an empty address", jsonType, `{"email":"","password":""}`, ErrInvalidEmail},
		{"no address after a wrong type", jsonType, `{"email":"x","password":"p","rememberMe":"x"}`,
			ValidationError("[body.rememberMe] Invalid input: expected boolean, received string")},
		{"a field twice", jsonType, `{"email":"ada@example.com","password":"a","password":"b"}`, ValidationError("[body.password] Invalid input: field sent more than once")},
		{"broken", jsonType, `{`, ErrInvalidJSON},
		{"an array", jsonType, `[]`, ValidationError("[body] Invalid input: expected object, received array")},
		{"no body", "", ``, ValidationError("[body] Invalid input: expected object, received undefined")},
		{"plain text", "text/plain", `{}`, UnsupportedMediaType("text/plain", formType, jsonType)},
		{"too much", jsonType, strings.Repeat(" ", MaxBodyLength+1), ErrPayloadTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DecodeSignIn(c.contentType, []byte(c.content))
			if err != error(c.want) {
				t.Errorf("\n got %v\nwant %v", err, c.want)
			}
			if !equalSignIn(got, SignIn{}) {
				t.Errorf("refused, yet it returned %+v", got)
			}
		})
	}
}

func TestDecodeRevoke(t *testing.T) {
	for content, want := range map[string]string{
		`{"token":"9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI"}`:  recordedToken,
		`{"token":"x","Token":1,"more":null}`:           "x",
		`{"token":""}`:                                  "",
		`{"token":"` + strings.Repeat("a", 2048) + `"}`: strings.Repeat("a", 2048),
	} {
		got, err := DecodeRevoke(jsonType, []byte(content))
		if err != nil || got.Token != want {
			t.Errorf("%.80s: got %.80q, %v", content, got.Token, err)
		}
	}
}

func TestDecodeRevokeRefuses(t *testing.T) {
	for _, c := range []struct {
		name, contentType, content string
		want                       Error
	}{
		{"nothing in it", jsonType, `{}`, ValidationError("[body.token] Invalid input: expected string, received undefined")},
		{"a number", jsonType, `{"token":1}`, ValidationError("[body.token] Invalid input: expected string, received number")},
		{"too long", jsonType, `{"token":"` + strings.Repeat("a", 2049) + `"}`, ValidationError("[body.token] Too big: expected string to have <=2048 characters")},
		{"twice", jsonType, `{"token":"a","token":"b"}`, ValidationError("[body.token] Invalid input: field sent more than once")},
		{"no body", "", ``, ValidationError("[body] Invalid input: expected object, received undefined")},
		{"a form", formType, "token=x", UnsupportedMediaType(formType, jsonType)},
		{"broken", jsonType, `{"token"}`, ErrInvalidJSON},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DecodeRevoke(c.contentType, []byte(c.content))
			if err != error(c.want) || got != (Revoke{}) {
				t.Errorf("got %+v, %v, want %v", got, err, c.want)
			}
		})
	}
}

func TestRefusalsDoNotRepeatThePassword(t *testing.T) {
	for _, content := range []string{
		`{"name":1,"email":"x","password":"` + longPassword + `"}`,
		`{"name":"Ada","email":"ada@example.com","password":"` + strings.Repeat(longPassword, 5) + `"}`,
		`{"password":"` + longPassword + `","password":"` + longPassword + `"}`,
		`{"password":"` + longPassword,
		`"` + longPassword + `"`,
	} {
		_, signUp := DecodeSignUp(jsonType, []byte(content))
		_, signIn := DecodeSignIn(jsonType, []byte(content+"x"))
		for _, err := range []error{signUp, signIn} {
			if err == nil || strings.Contains(err.Error(), longPassword) {
				t.Errorf("%s: %v", content, err)
			}
		}
	}
}

func FuzzDecodeSignUp(f *testing.F) {
	f.Add(jsonType, []byte(`{"name":"Ada","email":"Ada@example.com","password":"password123"}`))
	f.Add(jsonType, []byte(`{"name":"Ada","email":"ada@example.com","password":"password123","image":"x","callbackURL":"/","rememberMe":true}`))
	f.Add(jsonType, []byte(`{"name":1,"name":2,"email":[],"password":{}}`))
	f.Add(jsonType, []byte(`{"name":"\ud800","email":"a@b.co","password":"\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000"}`))
	f.Add(jsonType, []byte(`[null]`))
	f.Add(jsonType, []byte("{\"name\":\"\xff\"}"))
	f.Add(jsonType, []byte(` `))
	f.Add(formType, []byte("name=Ada&email=ada%40example.com&password=password123&rememberMe=false"))
	f.Add(formType, []byte("%&=;%zz"))
	f.Add("text/plain", []byte("x"))
	f.Add("", []byte(""))
	statuses := map[int]bool{400: true, 413: true, 415: true}
	f.Fuzz(func(t *testing.T, contentType string, content []byte) {
		form, err := DecodeSignUp(contentType, content)
		if err != nil {
			refusal, ok := errors.AsType[Error](err)
			if !ok || !statuses[refusal.Status] || refusal.Code == "" || refusal.Message == "" {
				t.Fatalf("a refusal that no client understands: %#v", err)
			}
			if !equalSignUp(form, SignUp{}) {
				t.Fatalf("refused, yet it returned %+v", form)
			}
			return
		}
		if !ValidEmail(form.Email) || form.Email != strings.ToLower(form.Email) {
			t.Fatalf("accepted the address %q", form.Email)
		}
		if CheckPasswordLength(form.Password) != nil || len([]rune(form.Name)) > MaxNameLength {
			t.Fatalf("accepted lengths beyond the bounds: %+v", form)
		}
		again, err := DecodeSignUp(contentType, content)
		if err != nil || !equalSignUp(again, form) {
			t.Fatalf("one body, two readings: %+v and %+v, %v", form, again, err)
		}
	})
}
