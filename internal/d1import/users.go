package d1import

import (
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"sokuji/internal/accounts"
	"sokuji/internal/ledger"
)

// userID is what a user's id may look like here.
var userID = regexp.MustCompile(`^[a-zA-Z0-9]{15,32}$`)

// Why a user is not imported.
const (
	reasonTwice     = "its id stands in the dump twice: the first row counts"
	reasonUserID    = "its id has other characters than letters and digits, or not 15 to 32 of them"
	reasonNoAddress = "it has no e-mail address"
	reasonDeleted   = "it was deleted here, and stays so"
	reasonAddress   = "its e-mail address is another user's, in whatever case of its letters: the first user counts"
)

// users writes each user together with all that is theirs but money: password,
// sign-ins, sessions, profile, wallet and entitlement, in one transaction. So a
// user who is here came with all of it, and a later run has nothing to add that
// the user may have changed or ended since.
func (i *importer) users() error {
	t, report := tableNamed("user"), i.report.Table("user")
	return i.inBatches(t, `ORDER BY t.pos`, batchUsers, func(tx *sql.Tx, pos int64, r *row) error {
		defer r.tell(report)
		id := r.text("id")
		first, err := i.staging.number(i.ctx, `SELECT MIN(pos) FROM d1_user WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if first != pos && r.value("id") != nil {
			report.skip(reasonTwice, id)
			return nil
		}
		isHere, err := exists(i.ctx, tx, `SELECT 1 FROM users WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if isHere {
			report.AlreadyThere++
			return i.belongings(tx, owner{id: id})
		}
		reason, err := i.refuseUser(tx, r)
		if err != nil {
			return err
		}
		if reason != "" {
			report.skip(reason, id)
			return i.refuseBelongings(id, reasonOfBelongings(reason))
		}
		report.Imported++
		newcomer, err := i.insertUser(tx, r)
		if err != nil {
			return err
		}
		return i.belongings(tx, newcomer)
	})
}

// owner is a user whose belongings are looked at.
type owner struct {
	id       string
	name     string
	created  string // as it is stored
	tokenKey string
	// isNew: the user was not here before this run.
	isNew bool
}

func address(r *row) string { return strings.ToLower(strings.TrimSpace(r.text("email"))) }

func (i *importer) refuseUser(tx *sql.Tx, r *row) (reason string, err error) {
	if !userID.MatchString(r.text("id")) {
		return reasonUserID, nil
	}
	wasDeleted, err := accounts.WasDeleted(i.ctx, tx, r.text("id"))
	if wasDeleted || err != nil {
		return reasonDeleted, err
	}
	email := address(r)
	if email == "" {
		return reasonNoAddress, nil
	}
	isTaken, err := exists(i.ctx, tx, `SELECT 1 FROM users WHERE email = ? COLLATE NOCASE AND email != ''`, email)
	if isTaken {
		reason = reasonAddress
	}
	return reason, err
}

func (i *importer) insertUser(tx *sql.Tx, r *row) (owner, error) {
	key, err := randomText(tokenKeyLength)
	if err != nil {
		return owner{}, err
	}
	created := r.instant("createdat", i.now)
	o := owner{id: r.text("id"), name: r.bounded("name", maxNameBytes), created: stored(created), tokenKey: key, isNew: true}
	email := address(r)
	if email != r.text("email") {
		r.note("the e-mail address was put into small letters")
	}
	if !strings.Contains(email, "@") {
		r.note("the e-mail address is none: nobody can write to it")
	}
	_, err = tx.ExecContext(i.ctx, `INSERT INTO users
		(id, password, tokenKey, email, emailVisibility, verified, name, image, created, updated)
		VALUES (?, ?, ?, ?, FALSE, ?, ?, ?, ?, ?)`,
		o.id, i.nobodysPassword, key, email, r.flag("emailverified"), o.name, r.bounded("image", maxImageBytes),
		o.created, stored(r.instantOr("updatedat", created)))
	if err != nil {
		return owner{}, fmt.Errorf("insert user %s: %w", o.id, err)
	}
	return o, nil
}

// belongings writes what belongs to a user, or counts it as there.
func (i *importer) belongings(tx *sql.Tx, o owner) error {
	return errors.Join(
		i.signIns(tx, o),
		i.sessions(tx, o),
		i.profile(tx, o),
		i.userWallet(tx, o),
		i.entitlement(tx, ledger.UserSubject(o.id), o.isNew),
	)
}

const (
	reasonUserSkipped = "its user was skipped"
	reasonUserDeleted = "its user was deleted here"
)

func reasonOfBelongings(ofUser string) string {
	if ofUser == reasonDeleted {
		return reasonUserDeleted
	}
	return reasonUserSkipped
}

// refuseBelongings counts what belongs to a user who is not imported. The wallet
// and its ledger are money, and kept.
func (i *importer) refuseBelongings(id, reason string) error {
	for _, name := range []string{"account", "session", "app_user"} {
		err := i.staging.each(i.ctx, tableNamed(name), `WHERE `+ownerColumn(name)+` = ? ORDER BY t.pos`, []any{id}, func(_ int64, r *row) error {
			i.report.Table(name).skip(reason, r.id())
			return i.step()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// wasDeleted tells of a user who is not here whether they were deleted.
func (i *importer) wasDeleted(id string) (deleted bool, err error) {
	err = i.inTransaction(func(tx *sql.Tx) error {
		deleted, err = accounts.WasDeleted(i.ctx, tx, id)
		return err
	})
	return deleted, err
}

// ownerColumn is where a table names the user.
func ownerColumn(table string) string {
	if table == "app_user" {
		return "better_auth_user_id"
	}
	return "userid"
}

// strayAccountRows counts what belongs to users whom the dump does not have.
func (i *importer) strayAccountRows() error {
	for _, name := range []string{"account", "session", "app_user"} {
		column := ownerColumn(name)
		end := `WHERE t.` + column + ` IS NULL OR NOT EXISTS (SELECT 1 FROM d1_user u WHERE u.id = t.` + column + `) ORDER BY t.pos`
		err := i.staging.each(i.ctx, tableNamed(name), end, nil, func(_ int64, r *row) error {
			i.report.Table(name).skip("there is no user of its id in the dump", r.id())
			return i.step()
		})
		if err != nil {
			return err
		}
	}
	return nil
}
