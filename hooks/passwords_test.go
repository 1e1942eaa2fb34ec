package hooks

import (
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// roads are the two ways to sign up and to sign in.
var roads = map[string]struct {
	signUp, signIn func(h *house, email, password string) answer
}{
	"Better Auth": {
		func(h *house, email, password string) answer {
			return h.do("POST", "/api/auth/sign-up/email", nobody, object("name", "New", "email", email, "password", password))
		},
		func(h *house, email, password string) answer {
			return h.do("POST", "/api/auth/sign-in/email", nobody, object("email", email, "password", password))
		},
	},
	"PocketBase": {
		func(h *house, email, password string) answer {
			return h.do("POST", "/api/collections/users/records", nobody,
				object("name", "New", "email", email, "password", password, "passwordConfirm", password))
		},
		func(h *house, email, password string) answer {
			return h.do("POST", "/api/collections/users/auth-with-password", nobody, object("identity", email, "password", password))
		},
	},
}

// signsIn tells by which roads a password opens an account: all of them, or none.
func (h *house) signsIn(email, password string) bool {
	h.t.Helper()
	opened := 0
	for name, road := range roads {
		got := road.signIn(h, email, password)
		switch got.status {
		case 200:
			opened++
		case 400, 401:
		default:
			h.t.Errorf("%s answers %s: %s", name, got.outcome(), got.body)
		}
	}
	if opened != 0 && opened != len(roads) {
		h.t.Errorf("the password %q of %s opens only some roads", password, email)
	}
	return opened == len(roads)
}

func TestPasswordsAreNormalisedByBothRoads(t *testing.T) {
	const (
		composed   = "pässwörd ﬁ №"
		decomposed = "pa\u0308sswo\u0308rd ﬁ №"
		compatible = "pässwörd fi No"
	)
	for name, road := range roads {
		for typed, alias := range map[string]string{composed: decomposed, decomposed: compatible, compatible: composed} {
			t.Run(name+" "+typed, func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				road.signUp(h, "new@example.com", typed).want(200)
				for _, password := range []string{typed, alias} {
					if !h.signsIn("new@example.com", password) {
						t.Errorf("%q does not open the account", password)
					}
				}
				if h.signsIn("new@example.com", "passwörd fi No") {
					t.Error("another password opens the account")
				}
			})
		}
	}
}

// A password that bcrypt cannot hold works by both roads, in full.
func TestLongPasswords(t *testing.T) {
	for name, password := range map[string]string{
		"100 characters":                 strings.Repeat("long pass ", 10),
		"72 bytes":                       strings.Repeat("x", 72),
		"30 characters that take 90":     strings.Repeat("密", 30),
		"long in its normal form only":   strings.Repeat("ﷺ", 8),
		"a zero byte, which bcrypt cuts": "eight characters\x00and more",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			roads["Better Auth"].signUp(h, "new@example.com", password).want(200)
			if !h.signsIn("new@example.com", password) {
				t.Error("the password does not open the account")
			}
			for _, wrong := range []string{password + "!", password[:len(password)-3], password[:min(len(password), 71)] + "?"} {
				if h.signsIn("new@example.com", wrong) {
					t.Errorf("%q opens the account too", wrong)
				}
			}
		})
	}
}

// A password chosen later through PocketBase takes the long one's place.
func TestALaterPasswordReplacesTheLongOne(t *testing.T) {
	long := strings.Repeat("long pass ", 10)
	for name, change := range map[string]func(h *house, id string){
		"by its user": func(h *house, id string) {
			s := h.signIn("new@example.com", long)
			h.do("PATCH", "/api/collections/users/records/"+id, bearer(s.raw),
				object("oldPassword", long, "password", "short one", "passwordConfirm", "short one")).want(200)
		},
		"by a superuser": func(h *house, id string) {
			h.do("PATCH", "/api/collections/users/records/"+id, h.asRoot(),
				object("password", "short one", "passwordConfirm", "short one")).want(200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			id := roads["Better Auth"].signUp(h, "new@example.com", long).want(200).text("user.id")
			change(h, id)
			if h.signsIn("new@example.com", long) {
				t.Error("the old password still opens the account")
			}
			if !h.signsIn("new@example.com", "short one") {
				t.Error("the new password does not open the account")
			}
			if left := h.count("scrypt_passwords", "TRUE"); left != 0 {
				t.Errorf("%d scrypt hashes are left", left)
			}
		})
	}
}

// The old password is normalised too when a user proves that they know it.
func TestTheOldPasswordIsNormalised(t *testing.T) {
	h := newHouse(t)
	id := roads["PocketBase"].signUp(h, "new@example.com", "pässwörd ﬁ №").want(200).text("id")
	s := h.signIn("new@example.com", "pässwörd ﬁ №")
	h.do("PATCH", "/api/collections/users/records/"+id, bearer(s.raw),
		object("oldPassword", "pässwörd ﬁ №", "password", "short one", "passwordConfirm", "short one")).wantOutcome("200")
}

// A change of anything else keeps the long password.
func TestTheLongPasswordOutlivesOtherChanges(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("long pass ", 10)
	got := roads["Better Auth"].signUp(h, "new@example.com", long).want(200)
	h.do("PATCH", "/api/collections/users/records/"+got.text("user.id"), h.asRoot(), object("verified", true, "name", "Newer")).want(200)
	h.do("PATCH", "/api/user/profile", bearer(got.text("token")), object("firstName", "New")).want(200)
	if !h.signsIn("new@example.com", long) {
		t.Error("the password does not open the account any more")
	}
}

// A password change that fails changes nothing: the long one stays.
func TestAFailedChangeKeepsTheLongPassword(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("long pass ", 10)
	id := roads["Better Auth"].signUp(h, "new@example.com", long).want(200).text("user.id")
	before := h.snapshot("users", "scrypt_passwords")
	for _, body := range []string{
		object("password", "short", "passwordConfirm", "short"),
		object("password", strings.Repeat("x", 129), "passwordConfirm", strings.Repeat("x", 129)),
		object("password", "short one", "passwordConfirm", "another"),
		object("password", "short one", "passwordConfirm", "short one", "email", "no address"),
	} {
		h.do("PATCH", "/api/collections/users/records/"+id, h.asRoot(), body).wantOutcome("400")
	}
	h.unchanged(before)
}

// A change to another long password works on PocketBase's road like any other; a
// sign-up there stops at what bcrypt takes, before any hook of ours is asked.
func TestLongPasswordsOnPocketBasesRoad(t *testing.T) {
	h := newHouse(t)
	first, second := strings.Repeat("first pass ", 8), strings.Repeat("x", 128)
	roads["PocketBase"].signUp(h, "new@example.com", first).want(400)
	id := roads["Better Auth"].signUp(h, "new@example.com", first).want(200).text("user.id")
	if !h.signsIn("new@example.com", first) || h.signsIn("new@example.com", first[:72]) {
		t.Fatal("the long password of a sign-up is not the one that opens the account")
	}
	s := h.signIn("new@example.com", first)
	h.do("PATCH", "/api/collections/users/records/"+id, bearer(s.raw),
		object("oldPassword", first, "password", second, "passwordConfirm", second)).want(200)
	if h.signsIn("new@example.com", first) || !h.signsIn("new@example.com", second) {
		t.Fatal("the change to another long password did not take")
	}
}

// What an admin demands of users beyond the forms is said, not a server error.
func TestSignUpSaysWhatAnAdminsFieldMisses(t *testing.T) {
	h := newHouse(t)
	users, err := h.app.FindCollectionByNameOrId(usersCollection)
	if err != nil {
		t.Fatal(err)
	}
	users.Fields.Add(&core.TextField{Name: "country", Required: true})
	if err := h.app.Save(users); err != nil {
		t.Fatal(err)
	}
	body := roads["Better Auth"].signUp(h, "new@example.com", "a good password").want(400).text("message")
	if !strings.Contains(body, "country") {
		t.Fatalf("got %q", body)
	}
}

func TestPasswordLengthsAreChecked(t *testing.T) {
	h := newHouse(t)
	before := h.snapshot("users", "wallets")
	for password, want := range map[string]string{
		"short77":                    "400 PASSWORD_TOO_SHORT",
		strings.Repeat("x", 129):     "400 PASSWORD_TOO_LONG",
		strings.Repeat("😀", 3) + "x": "400 PASSWORD_TOO_SHORT",
		"":                           "400 VALIDATION_ERROR",
	} {
		roads["Better Auth"].signUp(h, "new@example.com", password).wantOutcome(want)
	}
	roads["PocketBase"].signUp(h, "new@example.com", "short77").wantOutcome("400").names("password")
	h.unchanged(before)
	roads["Better Auth"].signUp(h, "eight@example.com", "eight888").want(200)
	roads["Better Auth"].signUp(h, "most@example.com", strings.Repeat("x", 128)).want(200)
}

// Addresses are the same whatever their letters' case, by both roads.
func TestAddressesKnowNoCase(t *testing.T) {
	for name, road := range roads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			road.signUp(h, "New.User@Example.COM", testPassword).want(200)
			if stored := h.count("users", "email = 'new.user@example.com'"); stored != 1 {
				t.Errorf("the address is not stored in lower case")
			}
			for _, typed := range []string{"new.user@example.com", "NEW.USER@EXAMPLE.COM", "New.User@Example.COM"} {
				if !h.signsIn(typed, testPassword) {
					t.Errorf("%s does not sign in", typed)
				}
			}
			before := h.snapshot()
			for other, again := range roads {
				for _, typed := range []string{"new.user@example.com", "nEw.UsEr@example.com"} {
					if got := again.signUp(h, typed, testPassword); got.status < 400 || got.status >= 500 {
						t.Errorf("%s made a second account for %s: %s", other, typed, got.outcome())
					}
				}
			}
			roads["Better Auth"].signUp(h, "new.USER@example.com", testPassword).wantOutcome("422 USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
			h.unchanged(before)
		})
	}
}

// A wrong password and an unknown address look the same.
func TestSignInTellsNothingAboutAccounts(t *testing.T) {
	h := newHouse(t)
	for name, road := range roads {
		wrong, unknown := road.signIn(h, aliceEmail, "wrong password"), road.signIn(h, "nobody@example.com", "wrong password")
		if wrong.outcome() != unknown.outcome() || string(wrong.body) != string(unknown.body) {
			t.Errorf("%s tells them apart: %s %s and %s %s", name, wrong.outcome(), wrong.body, unknown.outcome(), unknown.body)
		}
	}
	roads["Better Auth"].signIn(h, aliceEmail, "wrong password").wantOutcome("401 INVALID_EMAIL_OR_PASSWORD")
}
