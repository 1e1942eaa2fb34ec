package d1import

import (
	"database/sql"
	"time"

	"sokuji/internal/accounts"
)

// Why a session is not imported.
const (
	reasonExpired       = "it is expired"
	reasonNoExpiry      = "its expiry is no time"
	reasonNoToken       = "it has no token, or no id"
	reasonTakenSession  = "its id or its token is another session's"
	reasonSessionOfOld  = "its user was here before, and the session is not: it has ended since, or is of a newer dump; the user signs in again"
	maxSessionTextBytes = 255
)

// clockTolerance is by how much the length of a session may be off: the original
// reads the clock for each of its columns. One with rememberMe:false is known by its
// length alone, and the mark for it is in the browser.
const clockTolerance = time.Minute

// sessions keeps those that are alive: their users stay signed in.
func (i *importer) sessions(tx *sql.Tx, o owner) error {
	t, report := tableNamed("session"), i.report.Table("session")
	rows, err := i.staging.list(i.ctx, t, `WHERE t.userid = ? ORDER BY t.pos`, []any{o.id}, maxRowsPerUser)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := i.step(); err != nil {
			return err
		}
		reason, isNew, err := i.session(tx, o, r)
		if err != nil {
			return err
		}
		if reason != "" {
			report.skip(reason, r.id())
		} else {
			report.settle(isNew)
		}
		r.tell(report)
	}
	return nil
}

func (i *importer) session(tx *sql.Tx, o owner, r *row) (reason string, isNew bool, err error) {
	id, token := r.text("id"), r.text("token")
	expires, ok := parseInstant(r.value("expiresat"))
	switch {
	case id == "" || token == "" || len(id) > maxSessionTextBytes || len(token) > maxSessionTextBytes:
		return reasonNoToken, false, nil
	case !ok:
		return reasonNoExpiry, false, nil
	case !expires.After(i.now):
		return reasonExpired, false, nil
	}
	isHere, err := accounts.HasSession(i.ctx, tx, id, token)
	switch {
	case err != nil:
		return "", false, err
	case isHere && !o.isNew:
		return "", false, nil
	case isHere:
		return reasonTakenSession, false, nil
	case !o.isNew:
		return reasonSessionOfOld, false, nil
	}
	created := r.instant("createdat", i.now)
	updated := r.instantOr("updatedat", created)
	return "", true, accounts.ImportSession(i.ctx, tx, o.tokenKey, token, accounts.Session{
		ID: id, UserID: o.id, ExpiresAt: expires, Remember: expires.Sub(updated) > accounts.ShortSessionLifetime+clockTolerance,
		IPAddress: r.text("ipaddress"), UserAgent: r.text("useragent"),
		CreatedAt: created, UpdatedAt: updated,
	})
}
