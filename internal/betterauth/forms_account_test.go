package betterauth

import (
	"strings"
	"testing"
)

func TestDecodeUpdateUser(t *testing.T) {
	for name, c := range map[string]struct {
		content     string
		name, image *string
	}{
		"a name":                    {`{"name":"Ada"}`, text("Ada"), nil},
		"an empty name":             {`{"name":""}`, text(""), nil},
		"a picture":                 {`{"image":"https://x/y.png"}`, nil, text("https://x/y.png")},
		"no picture any more":       {`{"image":null}`, nil, text("")},
		"both":                      {`{"image":"i","name":"n"}`, text("n"), text("i")},
		"nothing else":              {`{"name":"n","emailVerified":true,"role":"admin","id":"x","verified":true,"balance":1}`, text("n"), nil},
		"an address that is no one": {`{"name":"n","email":""}`, text("n"), nil},
		"null for an address":       {`{"name":"n","email":null}`, text("n"), nil},
		"zero for an address":       {`{"name":"n","email":0}`, text("n"), nil},
		"false for an address":      {`{"name":"n","email":false}`, text("n"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := DecodeUpdateUser(jsonType, []byte(c.content))
			if err != nil {
				t.Fatal(err)
			}
			if !equal(form.Name, c.name) || !equal(form.Image, c.image) {
				t.Errorf("got %v", form)
			}
		})
	}
	for name, c := range map[string]struct {
		content string
		want    Error
	}{
		"nothing":              {`{}`, ErrNoFieldsToUpdate},
		"unknown fields only":  {`{"emailVerified":true,"role":"admin"}`, ErrNoFieldsToUpdate},
		"an address":           {`{"email":"a@example.com"}`, ErrEmailCannotBeUpdated},
		"an address and more":  {`{"name":"n","email":"a@example.com"}`, ErrEmailCannotBeUpdated},
		"a number for address": {`{"email":1}`, ErrEmailCannotBeUpdated},
		"true for an address":  {`{"email":true}`, ErrEmailCannotBeUpdated},
		"a list of addresses":  {`{"email":[]}`, ErrEmailCannotBeUpdated},
		"a number":             {`{"name":5}`, ValidationError("[body.name] Invalid input: expected string, received number")},
		"a null name":          {`{"name":null}`, ValidationError("[body.name] Invalid input: expected string, received null")},
		"a picture of objects": {`{"image":{}}`, ValidationError("[body.image] Invalid input: expected string, received object")},
		"a long name":          {`{"name":"` + strings.Repeat("x", 256) + `"}`, ValidationError("[body.name] Too big: expected string to have <=255 characters")},
		"twice":                {`{"name":"a","name":"b"}`, ValidationError("[body.name] Invalid input: field sent more than once")},
		"a list":               {`[]`, ValidationError("[body] Invalid input: expected object, received array")},
		"no JSON":              {`nope`, ErrInvalidJSON},
	} {
		t.Run(name, func(t *testing.T) {
			if form, err := DecodeUpdateUser(jsonType, []byte(c.content)); err != c.want || form != (UpdateUser{}) {
				t.Errorf("got %v, %v, want %v", form, err, c.want)
			}
		})
	}
}

func TestDecodeChangePassword(t *testing.T) {
	form, err := DecodeChangePassword(jsonType, []byte(`{"newPassword":"12345678","currentPassword":"","revokeOtherSessions":true}`))
	if err != nil || form.NewPassword != "12345678" || form.CurrentPassword != "" || !equal(form.RevokeOtherSessions, boolean(true)) {
		t.Errorf("got %v, %v", form, err)
	}
	for name, c := range map[string]struct {
		content string
		want    Error
	}{
		"nothing":             {`{}`, ValidationError("[body.newPassword] Invalid input: expected string, received undefined; [body.currentPassword] Invalid input: expected string, received undefined")},
		"no current password": {`{"newPassword":"a"}`, ValidationError("[body.currentPassword] Invalid input: expected string, received undefined")},
		"a word for a boolean": {`{"newPassword":"12345678","currentPassword":"x","revokeOtherSessions":"x"}`,
			ValidationError("[body.revokeOtherSessions] Invalid input: expected boolean, received string")},
		"short":              {`{"newPassword":"short","currentPassword":"x"}`, ErrPasswordTooShort},
		"long":               {`{"newPassword":"` + strings.Repeat("x", 129) + `","currentPassword":"x"}`, ErrPasswordTooLong},
		"a long current one": {`{"newPassword":"12345678","currentPassword":"` + strings.Repeat("x", 129) + `"}`, ErrPasswordTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			if form, err := DecodeChangePassword(jsonType, []byte(c.content)); err != c.want || form != (ChangePassword{}) {
				t.Errorf("got %v, %v, want %v", form, err, c.want)
			}
		})
	}
}

func TestDecodeChangeEmail(t *testing.T) {
	form, err := DecodeChangeEmail(jsonType, []byte(`{"newEmail":"Ada@Example.com","callbackURL":"/done"}`))
	if err != nil || form.NewEmail != "ada@example.com" || !equal(form.CallbackURL, text("/done")) {
		t.Errorf("got %v, %v", form, err)
	}
	for content, want := range map[string]string{
		`{}`:                                    "[body.newEmail] Invalid input: expected string, received undefined",
		`{"newEmail":"x"}`:                      "[body.newEmail] Invalid email address",
		`{"newEmail":"a@b.co\r\nBcc: c"}`:       "[body.newEmail] Invalid email address",
		`{"newEmail":"a@b.co, c@d.co"}`:         "[body.newEmail] Invalid email address",
		`{"newEmail":"a@b.co","callbackURL":1}`: "[body.callbackURL] Invalid input: expected string, received number",
	} {
		if form, err := DecodeChangeEmail(jsonType, []byte(content)); err != ValidationError(want) || form != (ChangeEmail{}) {
			t.Errorf("%s: got %v, %v", content, form, err)
		}
	}
}

func TestDecodeDeleteUser(t *testing.T) {
	for content, want := range map[string]DeleteUser{
		`{}`: {},
		`{"password":"p","token":"t","callbackURL":"/bye"}`: {Password: "p", Token: "t", CallbackURL: "/bye"},
	} {
		if form, err := DecodeDeleteUser(jsonType, []byte(content)); err != nil || form != want {
			t.Errorf("%s: got %v, %v", content, form, err)
		}
	}
	for content, want := range map[string]Error{
		`{"password":1}`: ValidationError("[body.password] Invalid input: expected string, received number"),
		`{"password":"` + strings.Repeat("x", 129) + `"}`: ErrPasswordTooLong,
		`nope`: ErrInvalidJSON,
	} {
		if form, err := DecodeDeleteUser(jsonType, []byte(content)); err != want || form != (DeleteUser{}) {
			t.Errorf("%s: got %v, %v", content, form, err)
		}
	}
}

// Forms of another site's page can be sent without asking the browser's leave, so
// none of these routes takes one.
func TestAccountRoutesTakeNoForms(t *testing.T) {
	content := []byte("name=Eve&newPassword=12345678&currentPassword=x&newEmail=a%40b.co&email=a%40b.co&token=t")
	for name, decode := range map[string]func() error{
		"update-user":     func() error { _, err := DecodeUpdateUser(formType, content); return err },
		"change-password": func() error { _, err := DecodeChangePassword(formType, content); return err },
		"change-email":    func() error { _, err := DecodeChangeEmail(formType, content); return err },
		"delete-user":     func() error { _, err := DecodeDeleteUser(formType, content); return err },
		"reset":           func() error { _, err := DecodeResetPassword(formType, content, ""); return err },
		"request a reset": func() error { _, err := DecodeRequestReset(formType, content); return err },
		"verification":    func() error { _, err := DecodeSendVerification(formType, content); return err },
	} {
		if err := decode(); err != UnsupportedMediaType(formType, jsonType) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
