package hooks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

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

// bindRoleCache makes a change of membership hold from the next request on. What
// the deletion of a user or of an organisation takes along comes here too.
func bindRoleCache(app core.App, s *server) {
	clear := func(e *core.RecordEvent) error {
		s.roles.Clear()
		return e.Next()
	}
	app.OnRecordAfterCreateSuccess(membershipsCollection).BindFunc(clear)
	app.OnRecordAfterUpdateSuccess(membershipsCollection).BindFunc(clear)
	app.OnRecordAfterDeleteSuccess(membershipsCollection).BindFunc(clear)
}
