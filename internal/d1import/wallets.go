package d1import

import (
	"database/sql"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/sqlitestore"
)

const ofSubject = `WHERE t.subject_type = ? AND t.subject_id = ? ORDER BY t.pos`

const (
	reasonSubjectTwice = "its subject has another row in the dump: the first counts"
	reasonOtherOwner   = "its id is that of the wallet of another kind of subject"
	reasonSubjectType  = "its subject_type is neither user nor organization, or its subject_id is empty"
)

func (i *importer) userWallet(tx *sql.Tx, o owner) error {
	return i.wallet(tx, ledger.UserSubject(o.id), o.created)
}

// wallet makes the wallet of a subject, still without its balance, if it is not
// here. created is its owner's time as it is stored, or nothing.
func (i *importer) wallet(tx *sql.Tx, subject ledger.Subject, created string) error {
	t, report := tableNamed("wallets"), i.report.Table("wallets")
	rows, err := i.staging.list(i.ctx, t, ofSubject, []any{string(subject.Type), subject.ID}, maxRowsPerUser)
	if err != nil {
		return err
	}
	for n, r := range rows {
		if n > 0 {
			report.skip(reasonSubjectTwice, r.id())
		}
		if err := i.step(); err != nil {
			return err
		}
	}
	here, found, err := sqlitestore.WalletOwner(i.ctx, tx, subject.ID)
	switch {
	case err != nil:
		return err
	case found && here != subject:
		if len(rows) > 0 {
			report.skip(reasonOtherOwner, rows[0].id())
		}
		return nil
	case found && len(rows) > 0:
		report.AlreadyThere++
		return i.noteFreeze(tx, rows[0])
	case found:
		return nil
	}
	wallet := sqlitestore.ImportedWallet{Subject: subject, CreatedAt: i.now, UpdatedAt: i.now}
	if at, err := time.Parse(timeLayout, created); err == nil {
		wallet.CreatedAt, wallet.UpdatedAt = at, at
	}
	if len(rows) == 0 {
		report.Made++
	} else {
		r := rows[0]
		report.Imported++
		wallet.IsFrozen = r.flag("frozen")
		wallet.UpdatedAt = r.instantOr("updated_at", wallet.UpdatedAt)
		wallet.CreatedAt = earlier(wallet.CreatedAt, wallet.UpdatedAt)
		r.tell(report)
	}
	auditID, err := randomText(generatedIDLength)
	if err != nil {
		return err
	}
	return sqlitestore.CreateImportedWallet(i.ctx, tx, wallet, auditID, i.now)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// noteFreeze says when a wallet that was here is frozen in the dump only: an admin
// may have unfrozen it since.
func (i *importer) noteFreeze(tx *sql.Tx, r *row) error {
	if !r.flag("frozen") {
		return nil
	}
	isFrozen, err := exists(i.ctx, tx, `SELECT 1 FROM wallets WHERE id = ? AND frozen`, r.text("subject_id"))
	if err == nil && !isFrozen {
		i.report.Table("wallets").note("it is frozen in the dump and was here before, not frozen: it was left so", r.id())
	}
	return err
}

// strayWallets counts wallets and entries that can be nobody's.
func (i *importer) strayWallets() error {
	for _, name := range []string{"wallets", "wallet_ledger"} {
		err := i.staging.each(i.ctx, tableNamed(name), strayRows, nil, func(_ int64, r *row) error {
			i.report.Table(name).skip(reasonSubjectType, r.id())
			return i.step()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// isSubject is the condition for a row to have an owner, strayRows its opposite.
const (
	isSubject = `t.subject_type IN ('user', 'organization') AND t.subject_id != ''`
	strayRows = `WHERE (` + isSubject + `) IS NOT TRUE ORDER BY t.pos`
)

// isUserImported tells whether a user's belongings were handled with the user.
func (i *importer) isUserImported(id string) (bool, error) {
	staged, err := i.staging.number(i.ctx, `SELECT EXISTS (SELECT 1 FROM d1_user WHERE id = ?)`, id)
	if err != nil || staged == 0 {
		return false, err
	}
	var isHere bool
	err = i.Writer.QueryRowContext(i.ctx, `SELECT EXISTS (SELECT 1 FROM users WHERE id = ?)`, id).Scan(&isHere)
	return isHere, err
}
