package hooks

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
)

const organizationsCollection = "organizations"

// maxOwnedOrganizations bounds how many organisations one user may own at a time.
const maxOwnedOrganizations = 20

// bindOrganizations gives every new organisation a wallet and an entitlement in
// the transaction that makes it, and the user who made it as its owner.
func bindOrganizations(app core.App) {
	app.OnRecordCreate(organizationsCollection).BindFunc(func(e *core.RecordEvent) error {
		return inTransaction(e, func(tx core.App) error {
			if err := e.Next(); err != nil {
				return err
			}
			if _, err := tx.FindRecordById("wallets", e.Record.Id); err == nil {
				return apis.NewBadRequestError("This id belongs to a wallet already, whose books are kept for ever: leave the id out, or choose another.", nil)
			}
			return accounts.ProvisionOrganization(tx.DB(), e.Record.Id, time.Now())
		})
	})
	app.OnRecordDelete(organizationsCollection).BindFunc(func(e *core.RecordEvent) error {
		return inTransaction(e, func(tx core.App) error {
			if err := e.Next(); err != nil {
				return err
			}
			return accounts.RemoveOrganization(tx.DB(), e.Record.Id)
		})
	})
	app.OnRecordCreateRequest(organizationsCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		creator := userOf(e)
		if creator == "" {
			return e.Next() // a superuser adds the owner
		}
		return requestInTransaction(e, func(tx core.App) error {
			if err := mayOwnAnother(tx, creator); err != nil {
				return err
			}
			if err := e.Next(); err != nil {
				return err
			}
			return saveMembership(tx, e.Record.Id, creator, roleOwner)
		})
	})
}

// mayOwnAnother refuses to make a user the owner of too many organisations.
func mayOwnAnother(tx core.App, userID string) error {
	owned, err := tx.CountRecords(membershipsCollection, dbx.HashExp{"user": userID, "role": string(roleOwner)})
	if err != nil {
		return err
	}
	if owned >= maxOwnedOrganizations {
		return apis.NewBadRequestError(fmt.Sprintf("One user owns at most %d organizations: delete one, or leave one to another owner.", maxOwnedOrganizations), nil)
	}
	return nil
}

// requestInTransaction runs the rest of a request's event on one transaction.
// PocketBase answers after the commit.
func requestInTransaction(e *core.RecordRequestEvent, run func(tx core.App) error) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		return run(tx)
	})
}

// userOf is the user who makes a request of the record API, or nothing.
func userOf(e *core.RecordRequestEvent) string {
	if e.Auth == nil || e.Auth.Collection().Name != usersCollection {
		return ""
	}
	return e.Auth.Id
}
