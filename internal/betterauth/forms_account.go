package betterauth

import "strings"

// UpdateUser is the body of update-user, checked. A nil field stays as it is; an
// empty Image takes the picture away.
type UpdateUser struct {
	Name  *string
	Image *string
}

// ChangePassword is the body of change-password, checked: NewPassword is within
// bounds and not yet normalised, CurrentPassword as typed.
type ChangePassword struct {
	NewPassword     string
	CurrentPassword string
	// RevokeOtherSessions is nil when not sent.
	RevokeOtherSessions *bool
}

// ChangeEmail is the body of change-email, checked.
type ChangeEmail struct {
	// NewEmail is valid and in lower case.
	NewEmail string
	// CallbackURL is nil when not sent and not yet trusted: see CheckCallbackURL.
	CallbackURL *string
}

// DeleteUser is the body of delete-user. Each field is empty when not sent.
type DeleteUser struct {
	Password string
	Token    string
	// CallbackURL is not yet trusted: see CheckCallbackURL.
	CallbackURL string
}

// DecodeUpdateUser reads the body of update-user, JSON only. Fields other than
// name and image are ignored: nobody sets emailVerified, a role or an id here.
//
// Errors are of type Error: what keeps the body from being read, a
// ValidationError, ErrEmailCannotBeUpdated for an address, ErrNoFieldsToUpdate.
func DecodeUpdateUser(contentType string, content []byte) (UpdateUser, error) {
	fields, err := readBody(contentType, content, []string{jsonType}, []string{"name", "image", "email"})
	if err != nil {
		return UpdateUser{}, err
	}
	if fields["email"].isTruthy() {
		return UpdateUser{}, ErrEmailCannotBeUpdated
	}
	check := validation{fields: fields}
	form := UpdateUser{
		Name:  check.optionalText("name", MaxNameLength),
		Image: check.nullableText("image", maxURLLength),
	}
	if err := check.result(); err != nil {
		return UpdateUser{}, err
	}
	if form.Name == nil && form.Image == nil {
		return UpdateUser{}, ErrNoFieldsToUpdate
	}
	return form, nil
}

// DecodeChangePassword reads the body of change-password, JSON only. Errors as
// DecodeSignUp: every unfit field first, then the lengths.
func DecodeChangePassword(contentType string, content []byte) (ChangePassword, error) {
	known := []string{"newPassword", "currentPassword", "revokeOtherSessions"}
	fields, err := readBody(contentType, content, []string{jsonType}, known)
	if err != nil {
		return ChangePassword{}, err
	}
	check := validation{fields: fields}
	form := ChangePassword{
		NewPassword:         check.requiredText("newPassword", unbounded),
		CurrentPassword:     check.requiredText("currentPassword", unbounded),
		RevokeOtherSessions: check.optionalBoolean("revokeOtherSessions"),
	}
	if err := check.result(); err != nil {
		return ChangePassword{}, err
	}
	if err := CheckPasswordLength(form.NewPassword); err != nil {
		return ChangePassword{}, err
	}
	if err := checkTypedPassword(form.CurrentPassword); err != nil {
		return ChangePassword{}, err
	}
	return form, nil
}

// DecodeChangeEmail reads the body of change-email, JSON only.
func DecodeChangeEmail(contentType string, content []byte) (ChangeEmail, error) {
	fields, err := readBody(contentType, content, []string{jsonType}, []string{"newEmail", "callbackURL"})
	if err != nil {
		return ChangeEmail{}, err
	}
	check := validation{fields: fields}
	form := ChangeEmail{
		NewEmail:    check.email("newEmail"),
		CallbackURL: check.optionalText("callbackURL", maxURLLength),
	}
	if err := check.result(); err != nil {
		return ChangeEmail{}, err
	}
	return form, nil
}

// DecodeDeleteUser reads the body of delete-user, JSON only.
func DecodeDeleteUser(contentType string, content []byte) (DeleteUser, error) {
	fields, err := readBody(contentType, content, []string{jsonType}, []string{"callbackURL", "password", "token"})
	if err != nil {
		return DeleteUser{}, err
	}
	check := validation{fields: fields}
	form := DeleteUser{
		CallbackURL: orEmpty(check.optionalText("callbackURL", maxURLLength)),
		Password:    orEmpty(check.optionalText("password", unbounded)),
		Token:       orEmpty(check.optionalText("token", maxURLLength)),
	}
	if err := check.result(); err != nil {
		return DeleteUser{}, err
	}
	if err := checkTypedPassword(form.Password); err != nil {
		return DeleteUser{}, err
	}
	return form, nil
}

// checkTypedPassword bounds a password that is only compared: it may have been
// chosen under other rules than ours, but nobody's is longer.
func checkTypedPassword(password string) error {
	if utf16Length(password) > MaxPasswordLength {
		return ErrPasswordTooLong
	}
	return nil
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// isTruthy tells whether JavaScript takes the value for true.
func (v value) isTruthy() bool {
	switch v.typeName {
	case typeString:
		return v.text != ""
	case typeNumber:
		return strings.ContainsAny(v.text, "123456789")
	case typeBoolean:
		return v.text == "true"
	case typeArray, typeObject:
		return true
	}
	return false
}

// nullableText is optionalText where null stands for the empty text.
func (v *validation) nullableText(name string, maxLength int) *string {
	if v.fields[name].typeName == typeNull {
		return new(string)
	}
	return v.optionalText(name, maxLength)
}
