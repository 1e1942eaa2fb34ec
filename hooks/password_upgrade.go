package hooks

import (
	"log/slog"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/crypto/bcrypt"

	"sokuji/internal/accounts/password"
)

// upgradePassword gives a user whose password has just proven right, and who has a
// scrypt hash, a hash of PocketBase's own kind. It is stored raw: the password is
// the same, so no token key changes and no session ends. A password that bcrypt
// cannot hold keeps its scrypt hash for good.
//
// It never fails a sign-in: what could not be upgraded is, the next time.
func (s *server) upgradePassword(record *core.Record, plain string) {
	if err := s.tryUpgrade(record, password.Normalize(plain)); err != nil {
		s.app.Logger().Warn("A password's hash could not be upgraded",
			slog.String("user", record.Id), slog.Any("error", err))
	}
}

func (s *server) tryUpgrade(record *core.Record, normalized string) error {
	if !password.FitsBcrypt(normalized) {
		return nil
	}
	scrypt, err := scryptHash(s.app, record.Id)
	if err != nil || scrypt == "" {
		return err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(normalized), passwordCost(record.Collection()))
	if err != nil {
		return err
	}
	if err := replaceScryptHash(s.app, record.Id, scrypt, string(hash)); err != nil {
		return err
	}
	s.authRecords.Drop(recordKey{usersCollection, record.Id}) // raw SQL tells nobody
	return nil
}

// replaceScryptHash puts a bcrypt hash in the place of the scrypt hash that the
// password was compared with. When that one is gone, so is the password.
func replaceScryptHash(app core.App, userID, scrypt, hash string) error {
	params := dbx.Params{"user": userID, "scrypt": scrypt, "hash": hash}
	return app.RunInTransaction(func(tx core.App) error {
		result, err := tx.DB().NewQuery(`DELETE FROM scrypt_passwords WHERE user_id = {:user} AND hash = {:scrypt}`).Bind(params).Execute()
		if err != nil {
			return err
		}
		if removed, err := result.RowsAffected(); err != nil || removed == 0 {
			return err
		}
		_, err = tx.DB().NewQuery(`UPDATE users SET password = {:hash} WHERE id = {:user}`).Bind(params).Execute()
		return err
	})
}

// passwordCost is what an admin set for bcrypt.
func passwordCost(users *core.Collection) int {
	if field, ok := users.Fields.GetByName(core.FieldNamePassword).(*core.PasswordField); ok && field.Cost > 0 {
		return field.Cost
	}
	return bcrypt.DefaultCost
}
