package accounts_test

import (
	"fmt"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
)

// rows writes the wallets and entitlements of a subject, in a fixed order.
func (h house) rows(t *testing.T, id string) string {
	t.Helper()
	var found []struct{ Text string }
	err := h.app.DB().NewQuery(`
		SELECT 'wallet ' || subject_type || ' ' || balance_tokens AS text FROM wallets WHERE id = '` + id + `'
		UNION ALL SELECT 'entitlement ' || subject_type || ' ' || plan_id || ' ' || rate_limit_rpm FROM entitlements WHERE subject_id = '` + id + `'
		ORDER BY 1`).All(&found)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(found)
}

func TestAnOrganizationIsProvisionedOnceForEver(t *testing.T) {
	h := open(t)
	provision := func() error {
		return h.app.RunInTransaction(func(tx core.App) error {
			return accounts.ProvisionOrganization(tx.DB(), "acme", h.clock.Now())
		})
	}
	const all, books = "[{entitlement organization free_plan 60} {wallet organization 0}]", "[{wallet organization 0}]"
	if err := provision(); err != nil || h.rows(t, "acme") != all {
		t.Fatalf("provisioned: %s (%v)", h.rows(t, "acme"), err)
	}
	if err := provision(); err == nil || h.rows(t, "acme") != all {
		t.Fatalf("provisioned twice: %s (%v)", h.rows(t, "acme"), err)
	}
	err := h.app.RunInTransaction(func(tx core.App) error { return accounts.RemoveOrganization(tx.DB(), "acme") })
	if err != nil || h.rows(t, "acme") != books {
		t.Fatalf("removed: %s (%v)", h.rows(t, "acme"), err)
	}
	if err := provision(); err == nil || h.rows(t, "acme") != books {
		t.Fatalf("provisioned again after its removal: %s (%v)", h.rows(t, "acme"), err)
	}
}

// The wallet's id is its subject's, so a user and an organisation never share one.
func TestAnOrganizationTakesNoUsersID(t *testing.T) {
	h := open(t)
	err := h.app.RunInTransaction(func(tx core.App) error {
		return accounts.Provision(tx.DB(), accounts.NewUser{ID: "newuser00000001", RowID: "row000000000001"}, h.clock.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	before := h.rows(t, "newuser00000001")
	err = h.app.RunInTransaction(func(tx core.App) error {
		return accounts.ProvisionOrganization(tx.DB(), "newuser00000001", h.clock.Now())
	})
	if err == nil || h.rows(t, "newuser00000001") != before {
		t.Errorf("got %s, want %s (%v)", h.rows(t, "newuser00000001"), before, err)
	}
}
