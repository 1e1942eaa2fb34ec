package d1import

import (
	"database/sql"
	"fmt"
	"strings"
)

// profile writes a user's app_user row: the dump's, or the one that every new user
// gets.
func (i *importer) profile(tx *sql.Tx, o owner) error {
	t, report := tableNamed("app_user"), i.report.Table("app_user")
	rows, err := i.staging.list(i.ctx, t, `WHERE t.better_auth_user_id = ? ORDER BY t.pos`, []any{o.id}, maxRowsPerUser)
	if err != nil {
		return err
	}
	for n, r := range rows {
		if err := i.step(); err != nil {
			return err
		}
		switch {
		case n > 0:
			report.skip("its user has another row in the dump: the first counts", r.id())
		case o.isNew:
			err = i.insertProfile(tx, o, r)
			report.Imported++
		default:
			report.AlreadyThere++
		}
		if err != nil {
			return err
		}
		r.tell(report)
	}
	if len(rows) > 0 || !o.isNew {
		return nil
	}
	report.Made++
	id, err := randomText(generatedIDLength)
	if err != nil {
		return err
	}
	return i.writeProfile(tx, id, o.id, strings.TrimSpace(o.name), "", o.created, o.created)
}

func (i *importer) insertProfile(tx *sql.Tx, o owner, r *row) error {
	id := r.text("id")
	isTaken, err := exists(i.ctx, tx, `SELECT 1 FROM app_user WHERE id = ?`, id)
	if err != nil {
		return err
	}
	if isTaken || !recordID.MatchString(id) {
		r.note("its id is taken, or none: it got another")
		if id, err = randomText(generatedIDLength); err != nil {
			return err
		}
	}
	created := r.instant("created_at", i.now)
	return i.writeProfile(tx, id, o.id, r.bounded("first_name", maxTextBytes), r.bounded("last_name", maxTextBytes),
		stored(created), stored(r.instantOr("updated_at", created)))
}

func (i *importer) writeProfile(tx *sql.Tx, id, user, first, last, created, updated string) error {
	_, err := tx.ExecContext(i.ctx, `INSERT INTO app_user (id, better_auth_user_id, first_name, last_name, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?)`, id, user, first, last, created, updated)
	if err != nil {
		return fmt.Errorf("insert the app_user row of %s: %w", user, err)
	}
	return nil
}
