package hooks

import (
	"crypto/rand"
	"database/sql"
	"errors"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/crypto/bcrypt"

	"sokuji/internal/accounts/password"
	"sokuji/internal/betterauth"
)

// bindUserPasswords makes PocketBase's road treat passwords as Better Auth's
// does: normalised, and checked against a scrypt hash where there is one.
func bindUserPasswords(app core.App, s *server) {
	app.OnRecordCreate(usersCollection).BindFunc(storePassword)
	app.OnRecordUpdate(usersCollection).BindFunc(storePassword)
	app.OnRecordUpdateRequest(usersCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		if err := proveOldPassword(e); err != nil {
			return e.InternalServerError("", err)
		}
		return e.Next()
	})
	app.OnRecordAuthWithPasswordRequest(usersCollection).BindFunc(func(e *core.RecordAuthWithPasswordRequestEvent) error {
		e.Password = password.Normalize(e.Password)
		if e.Record == nil {
			return e.Next()
		}
		hash, err := scryptHash(e.App, e.Record.Id)
		if err != nil {
			return e.InternalServerError("", err)
		}
		if hash == "" {
			return e.Next()
		}
		if !password.VerifyScrypt(hash, e.Password) {
			return e.BadRequestError("Failed to authenticate.", errors.New("invalid login credentials"))
		}
		if err := apis.RecordAuthResponse(e.RequestEvent, e.Record, core.MFAMethodPassword, nil); err != nil {
			return err
		}
		s.upgradePassword(e.Record, e.Password)
		return nil
	})
}

// proveOldPassword lets a user who changes their password prove the old one by
// our rules. PocketBase compares it, as typed, with the bcrypt hash alone; so once
// the old password has proven right, the record in hand gets a hash of it that
// PocketBase will agree with. It is never stored: the new password takes its place.
func proveOldPassword(e *core.RecordRequestEvent) error {
	request, err := e.RequestInfo()
	if err != nil {
		return err
	}
	old, _ := request.Body["oldPassword"].(string)
	if old == "" || e.Record.GetString(core.FieldNamePassword) == "" {
		return nil
	}
	original := e.Record.Original()
	stored, ok := original.GetRaw(core.FieldNamePassword).(*core.PasswordFieldValue)
	if !ok {
		return nil
	}
	right, err := checkPassword(e.App, original, old)
	if err != nil || !right {
		return err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(old[:min(len(old), maxBcryptBytes)]), bcrypt.MinCost)
	stored.Hash = string(hash)
	return err
}

// maxBcryptBytes is how much of a password bcrypt looks at.
const maxBcryptBytes = 72

// storePassword takes a password that was set as plain text, by either road, in
// its normal form. One that PocketBase's field cannot hold gets a scrypt hash in
// the same transaction, and the field a password that nobody knows. A new password
// of any kind, also one that PocketBase makes up when somebody claims an account,
// takes the place of the scrypt hash before it.
func storePassword(e *core.RecordEvent) error {
	plain := e.Record.GetString(core.FieldNamePassword)
	scrypt, err := "", error(nil)
	if plain != "" {
		if scrypt, err = takePassword(e.Record, plain); err != nil {
			return err
		}
	}
	return inTransaction(e, func(tx core.App) error {
		stays := false
		if plain == "" {
			if stays, err = keepPassword(tx, e.Record); err != nil {
				return err
			}
		}
		if err := e.Next(); err != nil || stays {
			return err
		}
		return setScryptHash(tx, e.Record.Id, scrypt)
	})
}

// keepPassword makes an update that is about something else write the password
// that is stored now, and tells whether it is one. PocketBase writes every column of a
// record, so one that was read a moment before a change of the password would put
// the old one back. A record that is saved a second time has the stored hash, and
// still the original of before the first.
func keepPassword(tx core.App, record *core.Record) (stays bool, err error) {
	if record.IsNew() {
		return false, nil
	}
	stored, err := tx.FindRecordById(record.Collection(), record.Id)
	if err != nil {
		return false, err
	}
	const hash = core.FieldNamePassword + ":hash"
	original := record.Original()
	if now := record.GetString(hash); now != original.GetString(hash) {
		return now == stored.GetString(hash), nil
	}
	record.SetRaw(core.FieldNamePassword, stored.GetRaw(core.FieldNamePassword))
	if record.TokenKey() == original.TokenKey() {
		record.SetTokenKey(stored.TokenKey())
	}
	return true, nil
}

// takePassword sets the field of the record and returns the scrypt hash to store,
// empty when the field holds the password. Passwords beyond Better Auth's bounds
// are left as they are, for PocketBase to refuse.
func takePassword(record *core.Record, plain string) (scrypt string, err error) {
	normalized := password.Normalize(plain)
	if plain == "" || password.FitsBcrypt(normalized) || betterauth.CheckPasswordLength(plain) != nil {
		if normalized != plain {
			record.SetPassword(normalized) // PocketBase hashes on set, so not without need
		}
		return "", nil
	}
	if scrypt, err = password.HashScrypt(rand.Reader, plain); err == nil {
		record.SetRandomPassword()
	}
	return scrypt, err
}

// checkPassword tells whether the password is the user's.
func checkPassword(app core.App, record *core.Record, plain string) (bool, error) {
	hash, err := scryptHash(app, record.Id)
	if err != nil {
		return false, err
	}
	if hash != "" {
		return password.VerifyScrypt(hash, plain), nil
	}
	return record.ValidatePassword(password.Normalize(plain)), nil
}

func scryptHash(app core.App, userID string) (string, error) {
	var hash string
	err := app.DB().NewQuery(`SELECT hash FROM scrypt_passwords WHERE user_id = {:user}`).
		Bind(dbx.Params{"user": userID}).Row(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return hash, err
}

// setScryptHash stores a hash, or removes it when it is empty.
func setScryptHash(app core.App, userID, hash string) error {
	statement := `INSERT INTO scrypt_passwords (user_id, hash) VALUES ({:user}, {:hash})
		ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash`
	if hash == "" {
		statement = `DELETE FROM scrypt_passwords WHERE user_id = {:user} AND {:hash} = ''`
	}
	_, err := app.DB().NewQuery(statement).Bind(dbx.Params{"user": userID, "hash": hash}).Execute()
	return err
}
