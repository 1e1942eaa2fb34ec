package hooks

import (
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
)

// bindUserProvisioning gives every new user a wallet and an entitlement in the
// transaction that makes the user, whichever road they came by.
func bindUserProvisioning(app core.App) {
	app.OnRecordCreate(usersCollection).BindFunc(func(e *core.RecordEvent) error {
		e.Record.SetEmail(strings.ToLower(strings.TrimSpace(e.Record.Email())))
		return inTransaction(e, func(tx core.App) error {
			if err := e.Next(); err != nil {
				return err
			}
			return accounts.Provision(tx.DB(), accounts.NewUser{
				ID:    e.Record.Id,
				Name:  e.Record.GetString("name"),
				RowID: core.GenerateDefaultRandomId(),
			}, time.Now())
		})
	})
	app.OnRecordUpdate(usersCollection).BindFunc(func(e *core.RecordEvent) error {
		e.Record.SetEmail(strings.ToLower(strings.TrimSpace(e.Record.Email())))
		return e.Next()
	})
	app.OnRecordDelete(usersCollection).BindFunc(func(e *core.RecordEvent) error {
		return inTransaction(e, func(tx core.App) error {
			if err := e.Next(); err != nil {
				return err
			}
			return accounts.Remove(tx.DB(), accounts.Closing{UserID: e.Record.Id, Actor: deletedBy(e.Record)})
		})
	})
}

// inTransaction runs the rest of a record's event on one transaction.
func inTransaction(e *core.RecordEvent, run func(tx core.App) error) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		return run(tx)
	})
}
