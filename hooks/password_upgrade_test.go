package hooks

import (
	"crypto/rand"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts/password"
)

// importPassword gives a user what an import leaves: a scrypt hash, and a password
// that nobody knows in PocketBase's field.
func (h *house) importPassword(record *core.Record, plain string) {
	h.t.Helper()
	hash, err := password.HashScrypt(rand.Reader, plain)
	if err != nil {
		h.t.Fatal(err)
	}
	h.mustExecute(`INSERT INTO scrypt_passwords (user_id, hash) VALUES ({:user}, {:hash})`, "user", record.Id, "hash", hash)
	h.mustExecute(`UPDATE users SET password = '$2a$04$C8Yh2e1pTz0Ki6l9cTdxO.7vXKlI1rT5G9X9m2m6E1sFqPp3fQ8Zu' WHERE id = {:user}`, "user", record.Id)
}

// An imported hash becomes PocketBase's own at the first sign-in by either road; no
// token key changes and no session ends.
func TestScryptIsUpgradedAtSignIn(t *testing.T) {
	const plain = "pässwörd ﬁ №"
	for name, road := range roads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			before := h.aliceSession()
			h.importPassword(h.alice, plain)
			tokenKey := h.record(usersCollection, aliceEmail).TokenKey()

			if got := road.signIn(h, aliceEmail, "wrong password"); got.status == 200 {
				t.Fatal("a wrong password opens the account")
			}
			if left := h.count("scrypt_passwords", "TRUE"); left != 1 {
				t.Fatal("a wrong password ended the scrypt hash")
			}
			road.signIn(h, aliceEmail, plain).want(200)

			if left := h.count("scrypt_passwords", "TRUE"); left != 0 {
				t.Error("the scrypt hash is still there")
			}
			record := h.record(usersCollection, aliceEmail)
			if !record.ValidatePassword(password.Normalize(plain)) {
				t.Error("PocketBase does not know the password")
			}
			if record.TokenKey() != tokenKey {
				t.Error("the token key changed")
			}
			h.do("GET", "/api/user/profile", bearer(before.raw), "").want(200)
			if !h.signsIn(aliceEmail, plain) || h.signsIn(aliceEmail, testPassword) {
				t.Error("the roads do not agree on the password after the upgrade")
			}
		})
	}
}

// A password that bcrypt cannot hold keeps its scrypt hash.
func TestALongPasswordKeepsItsScryptHash(t *testing.T) {
	for name, plain := range map[string]string{
		"over 72 bytes": strings.Repeat("long pass ", 10),
		"72 bytes":      strings.Repeat("x", 72),
		"a zero byte":   "eight characters\x00and more",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.importPassword(h.alice, plain)
			before := h.snapshot("users", "scrypt_passwords")
			for range 2 {
				if !h.signsIn(aliceEmail, plain) {
					t.Fatal("the password does not open the account")
				}
			}
			h.unchanged(before)
		})
	}
}

// A sign-in must not put the old password back that another request is replacing.
func TestAnUpgradeDoesNotUndoANewPassword(t *testing.T) {
	h := newHouse(t)
	h.importPassword(h.alice, "an old password")
	old, err := scryptHash(h.app, h.alice.Id)
	if err != nil {
		t.Fatal(err)
	}
	h.do("PATCH", "/api/collections/users/records/"+h.alice.Id, h.asRoot(),
		object("password", "a newer password", "passwordConfirm", "a newer password")).want(200)
	if err := replaceScryptHash(h.app, h.alice.Id, old, "nonsense"); err != nil {
		t.Fatal(err)
	}
	if !h.signsIn(aliceEmail, "a newer password") {
		t.Error("the late upgrade replaced the new password")
	}
}

func TestConcurrentSignInsUpgradeOnce(t *testing.T) {
	h := newHouse(t)
	h.importPassword(h.alice, "an old password")
	var group sync.WaitGroup
	for _, road := range roads {
		for range 4 {
			group.Go(func() {
				if got := road.signIn(h, aliceEmail, "an old password"); got.status != 200 {
					t.Errorf("a sign-in answered %s: %s", got.outcome(), got.body)
				}
			})
		}
	}
	group.Wait()
	if !h.signsIn(aliceEmail, "an old password") || h.count("scrypt_passwords", "TRUE") != 0 {
		t.Error("the upgrade did not take")
	}
}

// PocketBase writes every column: a record that was read before a change of the
// password, and is saved after it, must not bring the old one back.
func TestALateSaveKeepsTheNewPassword(t *testing.T) {
	for name, change := range map[string]func(h *house){
		"a new password": func(h *house) {
			record := h.record(usersCollection, aliceEmail)
			record.SetPassword("a newer password")
			if err := h.app.Save(record); err != nil {
				h.t.Fatal(err)
			}
		},
		"an upgrade": func(h *house) {
			h.importPassword(h.alice, "a newer password")
			if !h.signsIn(aliceEmail, "a newer password") {
				h.t.Fatal("the imported password does not open the account")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			late := h.record(usersCollection, aliceEmail)
			change(h)
			tokenKey := h.record(usersCollection, aliceEmail).TokenKey()
			late.Set("name", "Late")
			if err := h.app.Save(late); err != nil {
				t.Fatal(err)
			}
			if !h.signsIn(aliceEmail, "a newer password") || h.signsIn(aliceEmail, testPassword) {
				t.Error("the old password is back")
			}
			record := h.record(usersCollection, aliceEmail)
			if record.TokenKey() != tokenKey || record.GetString("name") != "Late" {
				t.Errorf("the token key changed, or the name is %q", record.GetString("name"))
			}
		})
	}
}

// PocketBase does not take note of a save in the record it saved: a second one must
// not be taken for another new password.
func TestASecondSaveKeepsALongPassword(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("long pass ", 10)
	record := h.record(usersCollection, aliceEmail)
	for _, change := range []func(){
		func() { record.SetPassword(long) },
		func() { record.Set("name", "Alicia") },
		func() { record.SetVerified(true) },
	} {
		change()
		if err := h.app.Save(record); err != nil {
			t.Fatal(err)
		}
	}
	if !h.signsIn(aliceEmail, long) || h.signsIn(aliceEmail, testPassword) {
		t.Error("the long password does not open the account any more")
	}
	record.SetRandomPassword() // as PocketBase does where somebody claims an account
	if err := h.app.Save(record); err != nil {
		t.Fatal(err)
	}
	if h.signsIn(aliceEmail, long) || h.count("scrypt_passwords", "TRUE") != 0 {
		t.Error("the long password outlives the one that took its place")
	}
}
