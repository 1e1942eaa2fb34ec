package hooks

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

const membershipsCollection = "memberships"

// maxMembers bounds how many users belong to one organisation.
const maxMembers = 1_000

// bindMemberships keeps what the collection's rules cannot say: only owners make
// or unmake owners and admins, and an organisation never loses its last owner,
// unless that user or the organisation itself is deleted. Each check reads again
// inside the transaction that writes: two owners may leave at the same time.
func bindMemberships(app core.App) {
	app.OnRecordCreateRequest(membershipsCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		return requestInTransaction(e, func(tx core.App) error {
			if err := mayAdd(tx, e); err != nil {
				return err
			}
			return e.Next()
		})
	})
	app.OnRecordUpdateRequest(membershipsCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		return requestInTransaction(e, func(tx core.App) error {
			if err := mayChange(tx, e); err != nil {
				return err
			}
			return e.Next()
		})
	})
	app.OnRecordDeleteRequest(membershipsCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		return requestInTransaction(e, func(tx core.App) error {
			if err := mayRemove(tx, e); err != nil {
				return err
			}
			return e.Next()
		})
	})
	app.OnRecordUpdate(membershipsCollection).BindFunc(func(e *core.RecordEvent) error {
		before := e.Record.Original()
		for _, fixed := range []string{"organization", "user"} {
			if before.GetString(fixed) != e.Record.GetString(fixed) {
				return apis.NewBadRequestError("The "+fixed+" of a membership never changes: delete it, and create another.", nil)
			}
		}
		return e.Next()
	})
}

func mayAdd(tx core.App, e *core.RecordRequestEvent) error {
	organizationID, as := e.Record.GetString("organization"), role(e.Record.GetString("role"))
	if err := mayAppoint(tx, e, organizationID, as); err != nil {
		return err
	}
	members, err := tx.CountRecords(membershipsCollection, dbx.HashExp{"organization": organizationID})
	if err != nil {
		return err
	}
	if members >= maxMembers {
		return apis.NewBadRequestError(fmt.Sprintf("An organization has at most %d members: remove one first.", maxMembers), nil)
	}
	if as != roleOwner {
		return nil
	}
	return mayOwnAnother(tx, e.Record.GetString("user"))
}

func mayChange(tx core.App, e *core.RecordRequestEvent) error {
	stored, err := storedMembership(tx, e.Record)
	if err != nil {
		return err
	}
	was, becomes := role(stored.GetString("role")), role(e.Record.GetString("role"))
	if err := mayAppoint(tx, e, stored.GetString("organization"), was, becomes); err != nil {
		return err
	}
	if was == becomes {
		return nil
	}
	if becomes == roleOwner {
		return mayOwnAnother(tx, stored.GetString("user"))
	}
	return keepsAnOwner(tx, stored)
}

func mayRemove(tx core.App, e *core.RecordRequestEvent) error {
	stored, err := storedMembership(tx, e.Record)
	if err != nil {
		return err
	}
	if leaves := userOf(e) == stored.GetString("user"); !leaves {
		if err := mayAppoint(tx, e, stored.GetString("organization"), role(stored.GetString("role"))); err != nil {
			return err
		}
	}
	return keepsAnOwner(tx, stored)
}

// mayAppoint admits owners to give or take any role, and admins as long as all of
// it is about plain members.
func mayAppoint(tx core.App, e *core.RecordRequestEvent, organizationID string, appointed ...role) error {
	if e.HasSuperuserAuth() {
		return nil
	}
	callers, err := roleIn(tx, organizationID, userOf(e))
	if err != nil || callers == roleOwner {
		return err
	}
	for _, as := range appointed {
		if callers != roleAdmin || as != roleMember {
			return apis.NewForbiddenError("Only an owner appoints or removes owners and admins, and only an admin or an owner adds or removes members.", nil)
		}
	}
	return nil
}

// keepsAnOwner refuses what would take the last owner from an organisation.
func keepsAnOwner(tx core.App, membership *core.Record) error {
	if role(membership.GetString("role")) != roleOwner {
		return nil
	}
	owners, err := tx.CountRecords(membershipsCollection, dbx.HashExp{
		"organization": membership.GetString("organization"), "role": string(roleOwner),
	})
	if err != nil {
		return err
	}
	if owners <= 1 {
		return apis.NewBadRequestError("An organization keeps an owner: make somebody else an owner first, or delete the organization.", nil)
	}
	return nil
}

// storedMembership is a membership as the transaction finds it; the request may
// have loaded it before another one changed it.
func storedMembership(tx core.App, loaded *core.Record) (*core.Record, error) {
	stored, err := tx.FindRecordById(membershipsCollection, loaded.Id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, apis.NewNotFoundError("", nil)
	}
	return stored, err
}

// roleIn reads inside a transaction what a user is in an organisation.
func roleIn(tx core.App, organizationID, userID string) (role, error) {
	membership, err := tx.FindFirstRecordByFilter(membershipsCollection, "organization = {:organization} && user = {:user}",
		dbx.Params{"organization": organizationID, "user": userID})
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return role(membership.GetString("role")), nil
}

func saveMembership(tx core.App, organizationID, userID string, as role) error {
	collection, err := tx.FindCachedCollectionByNameOrId(membershipsCollection)
	if err != nil {
		return err
	}
	membership := core.NewRecord(collection)
	membership.Set("organization", organizationID)
	membership.Set("user", userID)
	membership.Set("role", string(as))
	return tx.Save(membership)
}
