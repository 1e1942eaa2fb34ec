package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// timeLayout is PocketBase's own text form of an instant.
const timeLayout = "2006-01-02 15:04:05.000Z"

func formatTime(t time.Time) string {
	return t.UTC().Format(timeLayout)
}

// selectSession reads a session together with the key that must still be its
// user's for the session to be alive.
const selectSession = `SELECT s.id, s.user, s.kind, s.expires_at, s.remember, s.ip_address, s.user_agent,
s.created_at, s.updated_at, s.last_used_at, s.token_key_hash, u.tokenKey
FROM sessions s JOIN users u ON u.id = s.user`

// scanSession returns the session and whether its user still has the token key
// with which it began.
func scanSession(row interface{ Scan(...any) error }) (Session, bool, error) {
	var session Session
	var kind, expires, created, updated, used, keyHash, tokenKey string
	err := row.Scan(&session.ID, &session.UserID, &kind, &expires, &session.Remember, &session.IPAddress, &session.UserAgent,
		&created, &updated, &used, &keyHash, &tokenKey)
	if err != nil {
		return Session{}, false, fmt.Errorf("read a session: %w", err)
	}
	session.Kind = kindOf(kind)
	for _, instant := range []struct {
		text   string
		target *time.Time
	}{{expires, &session.ExpiresAt}, {created, &session.CreatedAt}, {updated, &session.UpdatedAt}, {used, &session.LastUsedAt}} {
		if *instant.target, err = time.Parse(timeLayout, instant.text); err != nil {
			return Session{}, false, fmt.Errorf("session %s: %w", session.ID, err)
		}
	}
	return session, keyHash == tokenHash(tokenKey), nil
}

// insertSession stores a session, ends those that are beyond the bound, and tells
// how many that were: all of it, or nothing.
func insertSession(ctx context.Context, writer *sql.DB, key Key, tokenKey string, session Session) (ended int64, err error) {
	tx, err := writer.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("create a session: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("create a session: %w", errors.Join(err, tx.Rollback()))
		}
	}()
	_, err = tx.ExecContext(ctx, `
		INSERT INTO sessions (id, user, kind, token_hash, token_key_hash, expires_at, remember, ip_address, user_agent,
			created_at, updated_at, last_used_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		session.ID, session.UserID, session.Kind, key, tokenHash(tokenKey), formatTime(session.ExpiresAt), session.Remember,
		session.IPAddress, session.UserAgent, formatTime(session.CreatedAt), formatTime(session.UpdatedAt), formatTime(session.LastUsedAt))
	if err != nil {
		return 0, err
	}
	result, err := tx.ExecContext(ctx, `
		DELETE FROM sessions WHERE id IN (
			SELECT id FROM sessions WHERE user = ? AND id != ?
			ORDER BY last_used_at DESC, created_at DESC, id LIMIT -1 OFFSET ?)`,
		session.UserID, session.ID, MaxSessionsPerUser-1)
	if err != nil {
		return 0, err
	}
	if ended, err = result.RowsAffected(); err != nil {
		return 0, err
	}
	return ended, tx.Commit()
}
