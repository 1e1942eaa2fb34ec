package betterauth

import (
	"strings"
	"unicode/utf16"
)

const (
	// MinPasswordLength and MaxPasswordLength bound a password in UTF-16 units.
	MinPasswordLength = 8
	MaxPasswordLength = 128
	// MaxNameLength bounds a user's name in characters. The library has no bound,
	// but the name is stored and shown everywhere.
	MaxNameLength = 255
)

// SignUp is the body of sign-up/email, checked.
type SignUp struct {
	// Name may be empty, as in the library.
	Name string
	// Email is valid and in lower case.
	Email string
	// Password is as typed: within bounds, not yet normalised.
	Password string
	// Image, CallbackURL and RememberMe are nil when not sent. CallbackURL is not
	// yet trusted: see CheckCallbackURL.
	Image       *string
	CallbackURL *string
	RememberMe  *bool
}

// SignIn is the body of sign-in/email, checked.
type SignIn struct {
	// Email is valid and in lower case.
	Email string
	// Password is as typed, of any length: the bounds are for choosing a password,
	// and an imported account may have one that was chosen under others.
	Password string
	// CallbackURL and RememberMe are nil when not sent. CallbackURL is not yet
	// trusted: see CheckCallbackURL.
	CallbackURL *string
	RememberMe  *bool
}

// Revoke is the body of revoke-session.
type Revoke struct {
	// Token is what list-sessions showed, at most 2,048 characters, possibly empty.
	Token string
}

// DecodeSignUp reads the body of sign-up/email: JSON or a form, by contentType.
// Unknown fields are ignored; on any error nothing of the body is returned.
//
// Errors are of type Error: what keeps the body from being read (400, 413, 415),
// a ValidationError that lists every unfit field in the order name, email,
// password, image, callbackURL, rememberMe, and only then ErrPasswordTooShort or
// ErrPasswordTooLong.
func DecodeSignUp(contentType string, content []byte) (SignUp, error) {
	known := []string{"name", "email", "password", "image", "callbackURL", "rememberMe"}
	fields, err := readBody(contentType, content, []string{formType, jsonType}, known)
	if err != nil {
		return SignUp{}, err
	}
	check := validation{fields: fields}
	form := SignUp{
		Name:        check.requiredText("name", MaxNameLength),
		Email:       check.email("email"),
		Password:    check.nonEmptyText("password"),
		Image:       check.optionalText("image", maxURLLength),
		CallbackURL: check.optionalText("callbackURL", maxURLLength),
		RememberMe:  check.optionalBoolean("rememberMe"),
	}
	if err := check.result(); err != nil {
		return SignUp{}, err
	}
	if err := CheckPasswordLength(form.Password); err != nil {
		return SignUp{}, err
	}
	return form, nil
}

// DecodeSignIn reads the body of sign-in/email: JSON or a form, by contentType.
// Errors as DecodeSignUp, the fields in the order email, password, callbackURL,
// rememberMe, and then ErrInvalidEmail for text that is no address: the library
// answers that one differently on sign-in.
func DecodeSignIn(contentType string, content []byte) (SignIn, error) {
	known := []string{"email", "password", "callbackURL", "rememberMe"}
	fields, err := readBody(contentType, content, []string{formType, jsonType}, known)
	if err != nil {
		return SignIn{}, err
	}
	check := validation{fields: fields}
	form := SignIn{
		Email:       check.requiredText("email", unbounded),
		Password:    check.requiredText("password", unbounded),
		CallbackURL: check.optionalText("callbackURL", maxURLLength),
		RememberMe:  check.optionalBoolean("rememberMe"),
	}
	if err := check.result(); err != nil {
		return SignIn{}, err
	}
	if !ValidEmail(form.Email) {
		return SignIn{}, ErrInvalidEmail
	}
	form.Email = strings.ToLower(form.Email)
	return form, nil
}

// DecodeRevoke reads the body of revoke-session. It is JSON only, as in the
// library: a form is what another site's page could send without asking.
func DecodeRevoke(contentType string, content []byte) (Revoke, error) {
	fields, err := readBody(contentType, content, []string{jsonType}, []string{"token"})
	if err != nil {
		return Revoke{}, err
	}
	check := validation{fields: fields}
	form := Revoke{Token: check.requiredText("token", maxURLLength)}
	if err := check.result(); err != nil {
		return Revoke{}, err
	}
	return form, nil
}

// CheckPasswordLength returns ErrPasswordTooShort, ErrPasswordTooLong or nil. It
// counts as JavaScript's "length" does, in UTF-16 units, so that a password that
// the library or a web form accepted is accepted here: an emoji counts twice.
func CheckPasswordLength(password string) error {
	length := utf16Length(password)
	if length < MinPasswordLength {
		return ErrPasswordTooShort
	}
	if length > MaxPasswordLength {
		return ErrPasswordTooLong
	}
	return nil
}

func utf16Length(s string) int {
	length := 0
	for _, r := range s {
		length += utf16.RuneLen(r)
	}
	return length
}
