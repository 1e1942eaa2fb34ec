package hooks

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// What an admin sets on the users collection holds on Better Auth's road too.
func TestAdminsRulesHoldOnBothRoads(t *testing.T) {
	const closed = "400 EMAIL_PASSWORD_SIGN_UP_DISABLED"
	tests := map[string]struct {
		change         func(users *core.Collection)
		signUp, signIn string
	}{
		"as seeded":               {func(*core.Collection) {}, "200", "200"},
		"sign-up closed":          {func(c *core.Collection) { c.CreateRule = nil }, closed, "200"},
		"sign-up under a rule":    {func(c *core.Collection) { c.CreateRule = types.Pointer("@request.body.name != ''") }, closed, "200"},
		"passwords off":           {func(c *core.Collection) { c.PasswordAuth.Enabled = false; c.OTP.Enabled = true }, "400 EMAIL_PASSWORD_DISABLED", "400 EMAIL_PASSWORD_DISABLED"},
		"a second factor":         {func(c *core.Collection) { c.OTP.Enabled, c.MFA.Enabled = true, true }, "400 EMAIL_PASSWORD_DISABLED", "400 EMAIL_PASSWORD_DISABLED"},
		"verified users only":     {func(c *core.Collection) { c.AuthRule = types.Pointer("verified = true") }, "200", "403 EMAIL_NOT_VERIFIED"},
		"nobody may sign in":      {func(c *core.Collection) { c.AuthRule = nil }, "200", "403 EMAIL_NOT_VERIFIED"},
		"only those with a name":  {func(c *core.Collection) { c.AuthRule = types.Pointer("name = 'Alice'") }, "200", "200"},
		"only those of that name": {func(c *core.Collection) { c.AuthRule = types.Pointer("name = 'Zoe'") }, "200", "403 EMAIL_NOT_VERIFIED"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			users, err := h.app.FindCollectionByNameOrId(usersCollection)
			if err != nil {
				t.Fatal(err)
			}
			test.change(users)
			if err := h.app.Save(users); err != nil {
				t.Fatal(err)
			}
			roads["Better Auth"].signUp(h, "new@example.com", "a good password").wantOutcome(test.signUp)
			roads["Better Auth"].signIn(h, aliceEmail, testPassword).wantOutcome(test.signIn)
		})
	}
}

// Where a new user must be verified first, sign-up opens no session; once an admin
// has verified the user, sign-in does.
func TestSignUpWithoutASession(t *testing.T) {
	h := newHouse(t)
	users, err := h.app.FindCollectionByNameOrId(usersCollection)
	if err != nil {
		t.Fatal(err)
	}
	users.AuthRule = types.Pointer("verified = true")
	if err := h.app.Save(users); err != nil {
		t.Fatal(err)
	}
	got := roads["Better Auth"].signUp(h, "new@example.com", "a good password").want(200)
	if got.value("token") != nil || got.header.Get("Set-Cookie") != "" || got.header.Get("set-auth-token") != "" {
		t.Fatalf("a session was opened: %s", got.body)
	}
	h.do("PATCH", "/api/collections/users/records/"+got.text("user.id"), h.asRoot(), object("verified", true)).want(200)
	if !h.signsIn("new@example.com", "a good password") {
		t.Fatal("a verified user may not sign in")
	}
}

// Where a new user must be verified first, a sign-up with an address that is taken
// is answered like any other, and changes nothing.
func TestSignUpHidesWhoHasAnAccount(t *testing.T) {
	for name, test := range map[string]struct {
		rule    *string
		outcome string
	}{
		"nothing is demanded":   {types.Pointer(""), "422 USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"},
		"something else is":     {types.Pointer("name != ''"), "422 USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"},
		"a verified address is": {types.Pointer("verified = true && name != ''"), "200"},
		"nobody may sign in":    {nil, "200"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			users, err := h.app.FindCollectionByNameOrId(usersCollection)
			if err != nil {
				t.Fatal(err)
			}
			users.AuthRule = test.rule
			if err := h.app.Save(users); err != nil {
				t.Fatal(err)
			}
			before := h.snapshot()
			taken := roads["Better Auth"].signUp(h, aliceEmail, "a good password").wantOutcome(test.outcome)
			h.unchanged(before)
			if taken.status != 200 {
				return
			}
			fresh := roads["Better Auth"].signUp(h, "new@example.com", "a good password").wantOutcome("200")
			if taken.text("user.id") == h.alice.Id || len(taken.text("user.id")) != len(fresh.text("user.id")) {
				t.Errorf("the id is %q", taken.text("user.id"))
			}
			mask := regexp.MustCompile(`"(id|email|createdAt|updatedAt)":"[^"]+"`)
			if a, b := mask.ReplaceAll(taken.body, []byte("$1")), mask.ReplaceAll(fresh.body, []byte("$1")); !bytes.Equal(a, b) {
				t.Errorf("taken: %s\nfresh: %s", a, b)
			}
			if taken.header.Get("Set-Cookie") != "" || taken.header.Get("set-auth-token") != "" {
				t.Error("a session was opened")
			}
		})
	}
}
