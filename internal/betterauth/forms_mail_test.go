package betterauth

import (
	"strings"
	"testing"
)

func TestDecodeRequestReset(t *testing.T) {
	for content, want := range map[string]RequestReset{
		`{"email":"Ada@Example.com"}`:                    {Email: "ada@example.com"},
		`{"email":"ada@example.com","redirectTo":"/r"}`:  {Email: "ada@example.com", RedirectTo: "/r"},
		`{"email":"ada@example.com","callbackURL":"/r"}`: {Email: "ada@example.com"},
	} {
		if form, err := DecodeRequestReset(jsonType, []byte(content)); err != nil || form != want {
			t.Errorf("%s: got %v, %v", content, form, err)
		}
	}
	for content, want := range map[string]string{
		`{}`:                                 "[body.email] Invalid input: expected string, received undefined",
		`{"email":"nope"}`:                   "[body.email] Invalid email address",
		`{"email":["a@b.co","c@d.co"]}`:      "[body.email] Invalid input: expected string, received array",
		`{"email":"a@b.co","redirectTo":{}}`: "[body.redirectTo] Invalid input: expected string, received object",
	} {
		if form, err := DecodeRequestReset(jsonType, []byte(content)); err != ValidationError(want) || form != (RequestReset{}) {
			t.Errorf("%s: got %v, %v", content, form, err)
		}
	}
}

func TestDecodeResetPassword(t *testing.T) {
	const rest = `"newPassword":"12345678"`
	for _, c := range []struct{ content, query, token string }{
		{`{` + rest + `,"token":"t"}`, "", "t"},
		{`{` + rest + `,"token":"t"}`, "of the query", "t"},
		{`{` + rest + `}`, "of the query", "of the query"},
		{`{` + rest + `,"token":""}`, "of the query", "of the query"},
	} {
		if form, err := DecodeResetPassword(jsonType, []byte(c.content), c.query); err != nil || form.Token != c.token || form.NewPassword != "12345678" {
			t.Errorf("%s %s: got %v, %v", c.content, c.query, form, err)
		}
	}
	for _, c := range []struct {
		content, query string
		want           Error
	}{
		{`{}`, "t", ValidationError("[body.newPassword] Invalid input: expected string, received undefined")},
		{`{` + rest + `}`, "", ErrInvalidResetToken},
		{`{"newPassword":"short"}`, "", ErrInvalidResetToken}, // the library's order
		{`{` + rest + `}`, strings.Repeat("x", maxURLLength+1), ErrInvalidResetToken},
		{`{"newPassword":"short"}`, "t", ErrPasswordTooShort},
		{`{"newPassword":"` + strings.Repeat("x", 129) + `"}`, "t", ErrPasswordTooLong},
		{`{` + rest + `,"token":1}`, "t", ValidationError("[body.token] Invalid input: expected string, received number")},
	} {
		if form, err := DecodeResetPassword(jsonType, []byte(c.content), c.query); err != c.want || form != (ResetPassword{}) {
			t.Errorf("%s: got %v, %v, want %v", c.content, form, err, c.want)
		}
	}
}

func TestDecodeSendVerification(t *testing.T) {
	form, err := DecodeSendVerification(jsonType, []byte(`{"email":"Ada@Example.com","callbackURL":"/welcome"}`))
	if err != nil || form != (SendVerification{Email: "ada@example.com", CallbackURL: "/welcome"}) {
		t.Errorf("got %v, %v", form, err)
	}
	for content, want := range map[string]string{
		`{}`:               "[body.email] Invalid input: expected string, received undefined",
		`{"email":"nope"}`: "[body.email] Invalid email address",
	} {
		if form, err := DecodeSendVerification(jsonType, []byte(content)); err != ValidationError(want) || form != (SendVerification{}) {
			t.Errorf("%s: got %v, %v", content, form, err)
		}
	}
}

func TestAccountAnswersAsRecorded(t *testing.T) {
	const id = "UgiVgGx2P5ykNVM0rIFBXNsuIzv9afCr"
	token := "BPW4KFG44WpQohr3s7pyA7Zfcvb8FiSm"
	created, updated := at(t, "2026-11-24T12:54:30.781Z"), at(t, "2026-11-24T12:54:32.638Z")
	user := recordedUser(t)
	for want, answer := range map[string]any{
		`[{"accountId":"` + id + `","providerId":"credential","userId":"` + id + `","createdAt":"2026-11-24T12:54:30.781Z","updatedAt":"2026-11-24T12:54:32.638Z","id":"Z4NBDoA59SiS7LstfvikzEcdlJcBO4ra","scopes":[]}]`: []Account{{
			AccountID: id, ProviderID: CredentialProvider, UserID: id, CreatedAt: created, UpdatedAt: updated,
			ID: "Z4NBDoA59SiS7LstfvikzEcdlJcBO4ra", Scopes: []string{},
		}},
		`{"status":true}`:             StatusAnswer{Status: true},
		`{"status":true,"user":null}`: VerifiedAnswer{Status: true},
		`{"status":true,"message":"If this email exists in our system, check your email for the reset link"}`: ResetRequested,
		`{"success":true,"message":"User deleted"}`:                                                           DeletedAnswer{Success: true, Message: "User deleted"},
		`{"token":"` + token + `","user":` + mustEncode(t, user) + `}`:                                        ChangePasswordAnswer{Token: &token, User: user},
		`{"message":"No fields to update"}`:                                                                   ErrNoFieldsToUpdate,
		`{"message":"Email is the same"}`:                                                                     ErrEmailIsTheSame,
		`{"message":"Email can not be updated","code":"EMAIL_CAN_NOT_BE_UPDATED"}`:                            ErrEmailCannotBeUpdated,
		`{"message":"Invalid password","code":"INVALID_PASSWORD"}`:                                            ErrInvalidPassword,
		`{"message":"Email mismatch","code":"EMAIL_MISMATCH"}`:                                                ErrEmailMismatch,
		`{"message":"Email is already verified","code":"EMAIL_ALREADY_VERIFIED"}`:                             ErrEmailAlreadyVerified,
		`{"message":"Invalid redirectURL","code":"INVALID_REDIRECT_URL"}`:                                     ErrInvalidRedirectURL,
		`{"message":"Reset password isn't enabled","code":"RESET_PASSWORD_DISABLED"}`:                         ErrResetPasswordDisabled,
		`{"message":"Session expired. Re-authenticate to perform this action.","code":"SESSION_EXPIRED"}`:     ErrSessionExpired,
		`{"message":"Invalid token","code":"INVALID_TOKEN"}`:                                                  ErrInvalidVerificationToken,
		`{"message":"Token expired","code":"TOKEN_EXPIRED"}`:                                                  ErrTokenExpired,
		`{"message":"Invalid user","code":"INVALID_USER"}`:                                                    ErrInvalidUser,
	} {
		if got := mustEncode(t, answer); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
	for status, errs := range map[int][]Error{
		400: {ErrInvalidResetToken}, 401: {ErrInvalidVerificationToken, ErrTokenExpired}, 404: {ErrInvalidDeletionToken}, 403: {ErrInvalidRedirectURL},
	} {
		for _, err := range errs {
			if err.Status != status {
				t.Errorf("%v has the status %d, want %d", err, err.Status, status)
			}
		}
	}
}
