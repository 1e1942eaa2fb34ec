package hooks

import (
	"errors"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/betterauth"
)

// replacePassword gives a user another password, which ends everything the user
// has open: PocketBase makes a new token key with it. Only one of several requests
// with one right to do so, such as the token of a mail, gets through; the others
// are answered gone. The record must be as it was when that right was checked.
//
// The hashing, which is slow, is over before the transaction begins.
func replacePassword(app core.App, record *core.Record, plain string, gone error) error {
	record.SetPassword(plain)
	scrypt, err := takePassword(record, plain)
	if err != nil {
		return err
	}
	return saveIfSame(app, record, gone, func(tx core.App) error {
		if scrypt == "" {
			return nil
		}
		return setScryptHash(tx, record.Id, scrypt)
	})
}

// saveIfSame saves a user whose token key nobody has changed since the record was
// read, and runs after in the same transaction.
func saveIfSame(app core.App, record *core.Record, gone error, after func(tx core.App) error) error {
	return app.RunInTransaction(func(tx core.App) error {
		stored, err := tx.FindRecordById(record.Collection(), record.Id)
		if err != nil || stored.TokenKey() != record.Original().TokenKey() {
			return gone
		}
		if err := tx.Save(record); err != nil {
			return authSaveError(err)
		}
		return after(tx)
	})
}

// authSaveError says what does not fit a user, in Better Auth's form.
func authSaveError(err error) error {
	if invalid, ok := errors.AsType[validation.Errors](err); ok {
		return betterauth.ValidationError("[body] " + invalid.Error())
	}
	return err
}
