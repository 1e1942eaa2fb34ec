package d1import

import (
	"database/sql"
	"fmt"
	"regexp"
)

// recordID is what an id here may look like.
var recordID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// Limits of a plan that the original knows only by its entitlements.
const (
	defaultSessions = 1
	defaultRPM      = 60
)

// plans adds those that are not here. One that is here, seeded or edited by an
// admin, is never changed.
func (i *importer) plans() error {
	t, report := tableNamed("plans"), i.report.Table("plans")
	return i.inBatches(t, `ORDER BY t.pos`, batchRows, func(tx *sql.Tx, _ int64, r *row) error {
		defer r.tell(report)
		id := r.text("plan_id")
		if !recordID.MatchString(id) {
			report.skip("its id has other characters than letters, digits, _ and -, or more than 64", id)
			return nil
		}
		quota, price := r.count("monthly_quota_tokens"), r.count("price_cents")
		var quotaHere, priceHere int64
		err := tx.QueryRowContext(i.ctx, `SELECT monthly_quota_tokens, price_cents FROM plans WHERE id = ?`, id).Scan(&quotaHere, &priceHere)
		switch {
		case err == nil && quotaHere == quota && priceHere == price:
			report.AlreadyThere++
			return nil
		case err == nil:
			report.skip("the plan is here with another quota or price, which stays: edit it in the dashboard if the dump's is right", id)
			return nil
		case err != sql.ErrNoRows:
			return fmt.Errorf("read a plan: %w", err)
		}
		created := r.instant("created_at", i.now)
		_, err = tx.ExecContext(i.ctx, `INSERT INTO plans
			(id, monthly_quota_tokens, price_cents, rate_limit_rpm, max_concurrent_sessions, features, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, NULL, ?, ?)`,
			id, quota, price, defaultRPM, defaultSessions, stored(created), stored(r.instantOr("updated_at", created)))
		if err != nil {
			return fmt.Errorf("insert a plan: %w", err)
		}
		r.note("a plan of the operator's own: it got %d sessions, %d requests a minute and no features; edit it in the dashboard", defaultSessions, defaultRPM)
		report.Imported++
		return nil
	})
}
