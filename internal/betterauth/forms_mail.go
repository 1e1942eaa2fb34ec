package betterauth

// RequestReset is the body of request-password-reset, checked.
type RequestReset struct {
	// Email is valid and in lower case.
	Email string
	// RedirectTo is the page that asks for the new password, empty when not sent.
	// It is not yet trusted: see CheckRedirectTo.
	RedirectTo string
}

// ResetPassword is the body of reset-password, checked: NewPassword is within
// bounds and not yet normalised.
type ResetPassword struct {
	NewPassword string
	Token       string
}

// SendVerification is the body of send-verification-email, checked.
type SendVerification struct {
	// Email is valid and in lower case.
	Email string
	// CallbackURL is empty when not sent and not yet trusted: see CheckCallbackURL.
	CallbackURL string
}

// DecodeRequestReset reads the body of request-password-reset, JSON only.
func DecodeRequestReset(contentType string, content []byte) (RequestReset, error) {
	fields, err := readBody(contentType, content, []string{jsonType}, []string{"email", "redirectTo"})
	if err != nil {
		return RequestReset{}, err
	}
	check := validation{fields: fields}
	form := RequestReset{
		Email:      check.email("email"),
		RedirectTo: orEmpty(check.optionalText("redirectTo", maxURLLength)),
	}
	if err := check.result(); err != nil {
		return RequestReset{}, err
	}
	return form, nil
}

// DecodeResetPassword reads the body of reset-password, JSON only. tokenInQuery
// counts when the body has no token, as in the library. A missing token is
// ErrInvalidResetToken; the lengths of the password are checked after it.
func DecodeResetPassword(contentType string, content []byte, tokenInQuery string) (ResetPassword, error) {
	fields, err := readBody(contentType, content, []string{jsonType}, []string{"newPassword", "token"})
	if err != nil {
		return ResetPassword{}, err
	}
	check := validation{fields: fields}
	form := ResetPassword{
		NewPassword: check.requiredText("newPassword", unbounded),
		Token:       orEmpty(check.optionalText("token", maxURLLength)),
	}
	if err := check.result(); err != nil {
		return ResetPassword{}, err
	}
	if form.Token == "" {
		form.Token = tokenInQuery
	}
	if form.Token == "" || len(form.Token) > maxURLLength {
		return ResetPassword{}, ErrInvalidResetToken
	}
	if err := CheckPasswordLength(form.NewPassword); err != nil {
		return ResetPassword{}, err
	}
	return form, nil
}

// DecodeSendVerification reads the body of send-verification-email, JSON only.
func DecodeSendVerification(contentType string, content []byte) (SendVerification, error) {
	fields, err := readBody(contentType, content, []string{jsonType}, []string{"email", "callbackURL"})
	if err != nil {
		return SendVerification{}, err
	}
	check := validation{fields: fields}
	form := SendVerification{
		Email:       check.email("email"),
		CallbackURL: orEmpty(check.optionalText("callbackURL", maxURLLength)),
	}
	if err := check.result(); err != nil {
		return SendVerification{}, err
	}
	return form, nil
}
