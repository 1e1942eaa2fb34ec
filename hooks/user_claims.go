package hooks

import (
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// bindUserClaims ends the API keys of an account that somebody claims by proving
// its address, after who knows whom had signed up with it: PocketBase gives such
// an account a new password and token key, which ends its sessions, but it knows
// nothing of keys.
func bindUserClaims(app core.App) {
	app.OnRecordUpdate(usersCollection).BindFunc(func(e *core.RecordEvent) error {
		if !isClaim(e.Record) {
			return e.Next()
		}
		return inTransaction(e, func(tx core.App) error {
			if err := e.Next(); err != nil {
				return err
			}
			keys, err := tx.FindAllRecords(keysCollection, dbx.HashExp{"user": e.Record.Id})
			if err != nil {
				return err
			}
			for _, key := range keys {
				if err := tx.Delete(key); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// isClaim tells whether an update verifies the address and replaces who may sign
// in, both at once.
func isClaim(record *core.Record) bool {
	original := record.Original()
	if original.Verified() || !record.Verified() {
		return false
	}
	return record.GetString(core.FieldNamePassword) != "" || record.TokenKey() != original.TokenKey()
}
