package accounts

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/sqlitestore"
)

// FreePlan is the plan that every new user starts on.
const FreePlan = "free_plan"

// NewUser is what provisioning needs to know.
type NewUser struct {
	ID   string
	Name string
	// RowID makes an id for a row of app_user.
	RowID string
}

// Provision gives a new user its app_user row, its wallet and its entitlement on
// the free plan, inside the transaction that makes the user: all of it appears
// together, or none. The unique indexes make a second time fail.
func Provision(tx dbx.Builder, user NewUser, now time.Time) error {
	subject := ledger.UserSubject(user.ID)
	params := dbx.Params{
		"id":   user.RowID,
		"user": user.ID,
		"name": strings.TrimSpace(user.Name),
		"now":  formatTime(now),
	}
	_, err := tx.NewQuery(`
		INSERT INTO app_user (id, better_auth_user_id, first_name, created_at, updated_at)
		VALUES ({:id}, {:user}, {:name}, {:now}, {:now})`).Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("app_user: %w", err)
	}
	if err := sqlitestore.CreateWallet(tx, subject, now); err != nil {
		return fmt.Errorf("wallet: %w", err)
	}
	return entitle(tx, subject, now)
}
