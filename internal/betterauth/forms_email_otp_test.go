package betterauth

import (
	"fmt"
	"strings"
	"testing"
)

// otpForms are the decoders of mailed codes, each as text of what it read.
var otpForms = map[string]func(contentType, content string) (string, error){
	"send":   func(ct, c string) (string, error) { return shown(DecodeSendOTP(ct, []byte(c))) },
	"ask":    func(ct, c string) (string, error) { return shown(DecodeOTPAddress(ct, []byte(c))) },
	"check":  func(ct, c string) (string, error) { return shown(DecodeCheckOTP(ct, []byte(c))) },
	"verify": func(ct, c string) (string, error) { return shown(DecodeVerifyEmailOTP(ct, []byte(c))) },
	"signin": func(ct, c string) (string, error) {
		form, err := DecodeSignInOTP(ct, []byte(c))
		return fmt.Sprintf("%s %s %q %q", form.Email, form.OTP, valueOf(form.Name), valueOf(form.Image)), err
	},
	"reset": func(ct, c string) (string, error) { return shown(DecodeResetOTP(ct, []byte(c))) },
	"token": func(ct, c string) (string, error) { return DecodeOneTimeToken(ct, []byte(c)) },
}

func shown[T any](form T, err error) (string, error) { return fmt.Sprint(form), err }

func TestDecodeOTPForms(t *testing.T) {
	for _, c := range []struct{ form, content, want string }{
		{"send", `{"email":"Ada@Example.COM","type":"sign-in"}`, "{ada@example.com sign-in}"},
		{"send", `{"email":"ada@example.com","type":"email-verification","role":"admin"}`, "{ada@example.com email-verification}"},
		{"send", `{"email":"ada@example.com","type":"forget-password"}`, "{ada@example.com forget-password}"},
		{"ask", `{"email":"Ada@example.com"}`, "ada@example.com"},
		{"check", `{"email":"Ada@example.com","type":"sign-in","otp":"123456"}`, "{ada@example.com sign-in 123456}"},
		{"check", `{"email":"ada@example.com","type":"sign-in","otp":""}`, "{ada@example.com sign-in }"},
		{"verify", `{"email":"Ada@example.com","otp":"123456"}`, "{ada@example.com email-verification 123456}"},
		{"verify", `{"email":"ada@example.com","otp":"123456","type":"sign-in"}`, "{ada@example.com email-verification 123456}"},
		{"signin", `{"email":"Ada@example.com","otp":"123456"}`, `ada@example.com 123456 "" ""`},
		{"signin", `{"email":"ada@example.com","otp":"123456","name":"Ada","image":"https://x/y.png","id":"x"}`, `ada@example.com 123456 "Ada" "https://x/y.png"`},
		{"reset", `{"email":"Ada@example.com","otp":"123456","password":"password123"}`, "{ada@example.com 123456 password123}"},
		{"token", `{"token":"abc"}`, "abc"},
		{"token", `{"token":""}`, ""},
	} {
		got, err := otpForms[c.form](jsonType, c.content)
		if err != nil || got != c.want {
			t.Errorf("%s %s: %q, %v; want %q", c.form, c.content, got, err, c.want)
		}
	}
}

func TestDecodeOTPFormsRefuse(t *testing.T) {
	const noText = "Invalid input: expected string, received "
	const option = `[body.type] Invalid option: expected one of "email-verification"|"sign-in"|"forget-password"|"change-email"`
	for _, c := range []struct {
		form, content string
		want          error
	}{
		{"send", `{}`, ValidationError("[body.email] " + noText + "undefined; " + option)},
		{"send", `{"email":"ada@example.com","type":"Sign-In"}`, ValidationError(option)},
		{"send", `{"email":"ada@example.com","type":7}`, ValidationError(option)},
		{"send", `{"email":"ada@example.com","type":null}`, ValidationError(option)},
		{"send", `{"email":"ada","type":"sign-in"}`, ErrInvalidEmail},
		{"send", `{"email":"ada@example.com","type":"change-email"}`, ErrInvalidOTPType},
		{"send", `{"email":"ada","type":"change-email"}`, ErrInvalidEmail},
		{"send", `{"email":["ada@example.com"],"type":"sign-in"}`, ValidationError("[body.email] " + noText + "array")},
		{"ask", `{"email":""}`, ErrInvalidEmail},
		{"check", `{"email":"ada@example.com","type":"change-email","otp":"1"}`, ErrInvalidOTP},
		{"check", `{"email":"ada@example.com","type":"sign-in"}`, ValidationError("[body.otp] " + noText + "undefined")},
		{"verify", `{"email":"ada","otp":"1"}`, ErrInvalidEmail},
		{"signin", `{"email":"ada","otp":"1"}`, ErrInvalidOTP},
		{"signin", `{"email":"ada@example.com","otp":123456}`, ValidationError("[body.otp] " + noText + "number")},
		{"signin", `{"email":"ada@example.com","otp":"` + strings.Repeat("1", 65) + `"}`, ValidationError("[body.otp] Too big: expected string to have <=64 characters")},
		{"signin", `{"email":"ada@example.com","otp":"1","name":1,"image":2}`, ValidationError("[body.name] " + noText + "number; [body.image] " + noText + "number")},
		{"reset", `{"email":"ada@example.com","otp":"1","password":"short"}`, ErrPasswordTooShort},
		{"reset", `{"email":"ada@example.com","otp":"1","password":"` + strings.Repeat("a", 129) + `"}`, ErrPasswordTooLong},
		{"reset", `{"email":"ada","otp":"1","password":"short"}`, ErrInvalidEmail},
		{"token", `{}`, ValidationError("[body.token] " + noText + "undefined")},
		{"token", `{"token":{}}`, ValidationError("[body.token] " + noText + "object")},
	} {
		if got, err := otpForms[c.form](jsonType, c.content); err != c.want {
			t.Errorf("%s %.80s: %q, %v; want %v", c.form, c.content, got, err, c.want)
		}
	}
	for name, decode := range otpForms {
		if _, err := decode(formType, "email=ada%40example.com&otp=1&type=sign-in&token=x"); err != UnsupportedMediaType(formType, jsonType) {
			t.Errorf("%s takes a form, which other sites can send: %v", name, err)
		}
		if _, err := decode(jsonType, `{"email":"a@example.com","email":"b@example.com","token":"a","token":"b"}`); err == nil {
			t.Errorf("%s takes a field twice", name)
		}
	}
}
