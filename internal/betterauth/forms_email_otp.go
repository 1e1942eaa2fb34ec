package betterauth

import (
	"net/http"
	"slices"
	"strings"
)

// Errors about mailed codes.
var (
	ErrInvalidOTP      = Error{http.StatusBadRequest, "Invalid OTP", "INVALID_OTP"}
	ErrOTPExpired      = Error{http.StatusBadRequest, "OTP expired", "OTP_EXPIRED"}
	ErrTooManyAttempts = Error{http.StatusForbidden, "Too many attempts", "TOO_MANY_ATTEMPTS"}
	// ErrInvalidOTPType answers the type that has a route of its own.
	ErrInvalidOTPType = Error{http.StatusBadRequest, "Invalid OTP type", "INVALID_OTP_TYPE"}
)

// What a code is sent for, as the body's type says.
const (
	OTPForVerification = "email-verification"
	OTPForSignIn       = "sign-in"
	OTPForPassword     = "forget-password"
	otpForChange       = "change-email"
)

// maxOTPLength bounds what is looked at as a code, in characters.
const maxOTPLength = 64

// SendOTP is the body of email-otp/send-verification-otp, checked.
type SendOTP struct {
	// Email is valid and in lower case.
	Email string
	// Type is one of the OTPFor constants.
	Type string
}

// CheckOTP is the body of email-otp/check-verification-otp and, without Type, of
// email-otp/verify-email.
type CheckOTP struct {
	Email string
	Type  string
	// OTP is what somebody typed, at most 64 characters, possibly empty.
	OTP string
}

// SignInOTP is the body of sign-in/email-otp.
type SignInOTP struct {
	Email string
	OTP   string
	// Name and Image are for a user who signs up with this, nil when not sent.
	Name  *string
	Image *string
}

// ResetOTP is the body of email-otp/reset-password.
type ResetOTP struct {
	Email string
	OTP   string
	// Password is as typed: within bounds, not yet normalised.
	Password string
}

// DecodeSendOTP reads the body of email-otp/send-verification-otp: JSON only, as
// all bodies of this file, because a form is what another site's page could send
// without asking. Errors are of type Error: what keeps the body from being read, a
// ValidationError in the order email, type, then ErrInvalidEmail, ErrInvalidOTPType.
func DecodeSendOTP(contentType string, content []byte) (SendOTP, error) {
	check, err := readFields(contentType, content, "email", "type")
	if err != nil {
		return SendOTP{}, err
	}
	email, kind := check.requiredText("email", unbounded), check.otpType("type")
	if email, err = check.address(email); err != nil {
		return SendOTP{}, err
	}
	if kind == otpForChange {
		return SendOTP{}, ErrInvalidOTPType
	}
	return SendOTP{Email: email, Type: kind}, nil
}

// DecodeOTPAddress reads the body of email-otp/request-password-reset and returns
// its address, valid and in lower case. Errors as DecodeSendOTP.
func DecodeOTPAddress(contentType string, content []byte) (string, error) {
	check, err := readFields(contentType, content, "email")
	if err != nil {
		return "", err
	}
	return check.address(check.requiredText("email", unbounded))
}

// DecodeCheckOTP reads the body of email-otp/check-verification-otp. Errors as
// DecodeSendOTP, the fields in the order email, type, otp.
func DecodeCheckOTP(contentType string, content []byte) (CheckOTP, error) {
	check, err := readFields(contentType, content, "email", "type", "otp")
	if err != nil {
		return CheckOTP{}, err
	}
	form := CheckOTP{Email: check.requiredText("email", unbounded), Type: check.otpType("type"), OTP: check.otp("otp")}
	if form.Email, err = check.address(form.Email); err != nil {
		return CheckOTP{}, err
	}
	if form.Type == otpForChange {
		return CheckOTP{}, ErrInvalidOTP // this server sends no code of that type
	}
	return form, nil
}

// DecodeVerifyEmailOTP reads the body of email-otp/verify-email. Errors as
// DecodeSendOTP, the fields in the order email, otp.
func DecodeVerifyEmailOTP(contentType string, content []byte) (CheckOTP, error) {
	check, err := readFields(contentType, content, "email", "otp")
	if err != nil {
		return CheckOTP{}, err
	}
	form := CheckOTP{Email: check.requiredText("email", unbounded), Type: OTPForVerification, OTP: check.otp("otp")}
	if form.Email, err = check.address(form.Email); err != nil {
		return CheckOTP{}, err
	}
	return form, nil
}

// DecodeSignInOTP reads the body of sign-in/email-otp. Errors as DecodeSendOTP,
// the fields in the order email, otp, name, image; but text that is no address has
// no code either, and is ErrInvalidOTP, as in the library.
func DecodeSignInOTP(contentType string, content []byte) (SignInOTP, error) {
	check, err := readFields(contentType, content, "email", "otp", "name", "image")
	if err != nil {
		return SignInOTP{}, err
	}
	form := SignInOTP{
		Email: check.requiredText("email", unbounded),
		OTP:   check.otp("otp"),
		Name:  check.optionalText("name", MaxNameLength),
		Image: check.optionalText("image", maxURLLength),
	}
	if form.Email, err = check.address(form.Email); err == ErrInvalidEmail {
		err = ErrInvalidOTP
	}
	if err != nil {
		return SignInOTP{}, err
	}
	return form, nil
}

// DecodeResetOTP reads the body of email-otp/reset-password. Errors as
// DecodeSendOTP, the fields in the order email, otp, password, and only then
// ErrPasswordTooShort or ErrPasswordTooLong: a code is not spent on those.
func DecodeResetOTP(contentType string, content []byte) (ResetOTP, error) {
	check, err := readFields(contentType, content, "email", "otp", "password")
	if err != nil {
		return ResetOTP{}, err
	}
	form := ResetOTP{
		Email: check.requiredText("email", unbounded), OTP: check.otp("otp"), Password: check.requiredText("password", unbounded),
	}
	if form.Email, err = check.address(form.Email); err != nil {
		return ResetOTP{}, err
	}
	if err := CheckPasswordLength(form.Password); err != nil {
		return ResetOTP{}, err
	}
	return form, nil
}

// readFields reads the named fields of a JSON body.
func readFields(contentType string, content []byte, names ...string) (*validation, error) {
	fields, err := readBody(contentType, content, []string{jsonType}, names)
	if err != nil {
		return nil, err
	}
	return &validation{fields: fields}, nil
}

// address ends a form: what was wrong with its fields, then whether the address is
// one.
func (v *validation) address(email string) (string, error) {
	if err := v.result(); err != nil {
		return "", err
	}
	if !ValidEmail(email) {
		return "", ErrInvalidEmail
	}
	return strings.ToLower(email), nil
}

func (v *validation) otp(name string) string { return v.requiredText(name, maxOTPLength) }

// otpType reads one of four words.
func (v *validation) otpType(name string) string {
	known := []string{OTPForVerification, OTPForSignIn, OTPForPassword, otpForChange}
	if field := v.fields[name]; !slices.Contains(known, field.text) || field.typeName != typeString {
		v.report(name, `Invalid option: expected one of "`+strings.Join(known, `"|"`)+`"`)
		return ""
	}
	return v.fields[name].text
}
