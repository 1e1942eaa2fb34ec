package hooks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

const membershipsCollection = "memberships"

// maxCachedRoles bounds the memory of who is what where, in entries.
const maxCachedRoles = 100_000

// role is what a user is in an organisation; empty is nobody.
type role string

const (
	roleOwner  role = "owner"
	roleAdmin  role = "admin"
	roleMember role = "member"
)

// leads tells whether the role manages members and reads histories.
func (r role) leads() bool { return r == roleOwner || r == roleAdmin }

// seat is one user's place in one organisation.
type seat struct{ organizationID, userID string }

// roleOf reads what a user is in an organisation, as new as the last commit.
func (s *server) roleOf(ctx context.Context, at seat) (role, error) {
	known, cached, ticket := s.roles.Get(at)
	if cached {
		return known, nil
	}
	var found role
	err := s.reader.QueryRowContext(ctx, `SELECT role FROM memberships WHERE user = ? AND organization = ?`,
		at.userID, at.organizationID).Scan(&found)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read a membership: %w", err)
	}
	s.roles.Fill(at, found, ticket)
	return found, nil
}

// bindRoleCache makes a change of membership hold from the next request on.
func bindRoleCache(app core.App, s *server) {
	clear := func(e *core.RecordEvent) error {
		s.roles.Clear()
		return e.Next()
	}
	for _, name := range []string{membershipsCollection, organizationsCollection} {
		app.OnRecordAfterCreateSuccess(name).BindFunc(clear)
		app.OnRecordAfterUpdateSuccess(name).BindFunc(clear)
		app.OnRecordAfterDeleteSuccess(name).BindFunc(clear)
	}
}

// bindMemberships keeps what the collection's rules cannot say: only owners make
// or unmake owners and admins, and an organisation never loses its last owner,
// unless that user or the organisation itself is deleted.
func bindMemberships(app core.App) {
	app.OnRecordCreateRequest(membershipsCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		if err := mayAppoint(e, role(e.Record.GetString("role"))); err != nil {
			return err
		}
		return e.Next()
	})
	app.OnRecordUpdateRequest(membershipsCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		before := e.Record.Original()
		if before.GetString("organization") != e.Record.GetString("organization") || before.GetString("user") != e.Record.GetString("user") {
			return apis.NewBadRequestError("organization and user of a membership never change: delete it, and create another.", nil)
		}
		return requestInTransaction(e, func(tx core.App) error {
			if role(e.Record.GetString("role")) != roleOwner {
				if err := keepsAnOwner(tx, before); err != nil {
					return err
				}
			}
			return e.Next()
		})
	})
	app.OnRecordDeleteRequest(membershipsCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		if !isSelf(e) {
			if err := mayAppoint(e, role(e.Record.GetString("role"))); err != nil {
				return err
			}
		}
		return requestInTransaction(e, func(tx core.App) error {
			if err := keepsAnOwner(tx, e.Record); err != nil {
				return err
			}
			return e.Next()
		})
	})
}

func isSelf(e *core.RecordRequestEvent) bool {
	return e.Auth != nil && e.Auth.Collection().Name == usersCollection && e.Auth.Id == e.Record.GetString("user")
}

// mayAppoint admits owners, and admins as long as it is about a plain member.
func mayAppoint(e *core.RecordRequestEvent, appointed role) error {
	if e.HasSuperuserAuth() || appointed == roleMember {
		return nil // the collection's rule has admitted them
	}
	callers, err := membershipOf(e.App, e.Record.GetString("organization"), e.Auth.Id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err != nil || role(callers.GetString("role")) != roleOwner {
		return apis.NewForbiddenError("Only an owner appoints or removes owners and admins.", nil)
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

func membershipOf(app core.App, organizationID, userID string) (*core.Record, error) {
	return app.FindFirstRecordByFilter(membershipsCollection, "organization = {:organization} && user = {:user}",
		dbx.Params{"organization": organizationID, "user": userID})
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
