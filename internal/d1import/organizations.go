package d1import

import (
	"database/sql"
	"errors"
	"fmt"

	"sokuji/internal/ledger"
)

// organizationIDs are those that own anything: the original has no table of them.
const organizationIDs = `SELECT subject_id FROM (
	SELECT subject_id FROM d1_wallets WHERE subject_type = 'organization' UNION
	SELECT subject_id FROM d1_entitlements WHERE subject_type = 'organization' UNION
	SELECT subject_id FROM d1_wallet_ledger WHERE subject_type = 'organization'
) WHERE subject_id != '' ORDER BY subject_id`

// organizations makes each that is missing, with its wallet and its entitlement, in
// one transaction. Who sits in it the dump does not say.
func (i *importer) organizations() (err error) {
	rows, err := i.staging.db.QueryContext(i.ctx, organizationIDs)
	if err != nil {
		return fmt.Errorf("list the organisations: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return fmt.Errorf("list the organisations: %w", err)
		}
		err := i.inTransaction(func(tx *sql.Tx) error { return i.organization(tx, id) })
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

func (i *importer) organization(tx *sql.Tx, id string) error {
	isNew, err := i.insertOrganization(tx, id)
	if err != nil {
		return err
	}
	subject := ledger.Subject{Type: ledger.SubjectOrganization, ID: id}
	return errors.Join(i.wallet(tx, subject, ""), i.entitlement(tx, subject, isNew))
}

func (i *importer) insertOrganization(tx *sql.Tx, id string) (isNew bool, err error) {
	if !recordID.MatchString(id) {
		i.report.Table("wallets").note("an organisation whose id has other characters than letters, digits, _ and -, or more than 64, got a wallet only", id)
		return false, nil
	}
	isHere, err := exists(i.ctx, tx, `SELECT 1 FROM organizations WHERE id = ? COLLATE NOCASE`, id)
	if err != nil || isHere {
		return false, err
	}
	now := stored(i.now)
	_, err = tx.ExecContext(i.ctx, `INSERT INTO organizations (id, name, created_at, updated_at) VALUES (?, ?, ?, ?)`, id, id, now, now)
	if err != nil {
		return false, fmt.Errorf("insert organisation %s: %w", id, err)
	}
	i.report.Table("wallets").note("an organisation was made for it, named by its id and without members: add them in the dashboard", id)
	return true, nil
}
