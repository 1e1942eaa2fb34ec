package d1import

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"
)

// credentialProvider is how Better Auth calls a sign-in by password.
const credentialProvider = "credential"

var (
	// scryptHash is Better Auth's, bcryptHash ours.
	scryptHash = regexp.MustCompile(`^[0-9a-fA-F]{32}:[0-9a-fA-F]{128}$`)
	bcryptHash = regexp.MustCompile(`^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$`)
)

// Why a way of signing in is not imported.
const (
	reasonWasHere       = "its user was here before: what they sign in with is left alone"
	reasonNoHash        = "it has no password: the user has to reset it"
	reasonBadHash       = "its password is no hash of Better Auth's: the user has to reset it"
	reasonTwoPasswords  = "its user has another password in the dump: the first counts"
	reasonProvider      = "its provider has no name in PocketBase: the user signs in by password or mail, or the admin sets up another provider"
	reasonNoProviderID  = "it does not say who the user is at the provider"
	reasonTakenProvider = "the same account at the provider, or another of the same provider, is linked already"
)

// signIns are the ways in which a user signs in: a password, or OAuth2 providers.
func (i *importer) signIns(tx *sql.Tx, o owner) error {
	t, report := tableNamed("account"), i.report.Table("account")
	rows, err := i.staging.list(i.ctx, t, `WHERE t.userid = ? ORDER BY t.pos`, []any{o.id}, maxRowsPerUser)
	if err != nil {
		return err
	}
	hasPassword := false
	for _, r := range rows {
		if err := i.step(); err != nil {
			return err
		}
		if r.text("providerid") != credentialProvider {
			err = i.link(tx, o, r)
		} else {
			hasPassword, err = i.password(tx, o, r, hasPassword)
		}
		if err != nil {
			return err
		}
		r.tell(report)
	}
	return nil
}

func (i *importer) password(tx *sql.Tx, o owner, r *row, hasPassword bool) (has bool, err error) {
	report := i.report.Table("account")
	hash := strings.TrimSpace(r.text("password"))
	var statement string
	switch {
	case hash == "":
		report.skip(reasonNoHash, r.id())
		return hasPassword, nil
	case scryptHash.MatchString(hash):
		statement = `INSERT INTO scrypt_passwords (hash, user_id) VALUES (?, ?)`
	case bcryptHash.MatchString(hash):
		statement = `UPDATE users SET password = ? WHERE id = ?`
	default:
		report.skip(reasonBadHash, r.id())
		return hasPassword, nil
	}
	switch {
	case hasPassword:
		report.skip(reasonTwoPasswords, r.id())
		return true, nil
	case !o.isNew:
		report.AlreadyThere++
		return true, nil
	}
	if _, err := tx.ExecContext(i.ctx, statement, hash, o.id); err != nil {
		return false, fmt.Errorf("write the password of user %s: %w", o.id, err)
	}
	report.Imported++
	return true, nil
}

// link connects a user with an account at an OAuth2 provider.
func (i *importer) link(tx *sql.Tx, o owner, r *row) error {
	report := i.report.Table("account")
	provider, account := r.text("providerid"), r.text("accountid")
	switch {
	case !i.KnowsProvider(provider):
		report.skip(reasonProvider+" ("+cut(provider, maxNameBytes)+")", r.id())
		return nil
	case account == "":
		report.skip(reasonNoProviderID, r.id())
		return nil
	case !o.isNew:
		isHere, err := exists(i.ctx, tx, `SELECT 1 FROM _externalAuths WHERE collectionRef = ? AND recordRef = ? AND provider = ? AND providerId = ?`,
			i.usersCollection, o.id, provider, account)
		if isHere {
			report.AlreadyThere++
		} else if err == nil {
			report.skip(reasonWasHere, r.id())
		}
		return err
	}
	id, err := randomText(generatedIDLength)
	if err != nil {
		return err
	}
	created := r.instant("createdat", i.now)
	result, err := tx.ExecContext(i.ctx, `INSERT OR IGNORE INTO _externalAuths (id, collectionRef, recordRef, provider, providerId, created, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, id, i.usersCollection, o.id, provider, account, stored(created), stored(r.instantOr("updatedat", created)))
	if err != nil {
		return fmt.Errorf("link user %s: %w", o.id, err)
	}
	written, err := result.RowsAffected()
	if written == 0 {
		report.skip(reasonTakenProvider, r.id())
	} else {
		report.Imported++
	}
	return err
}
