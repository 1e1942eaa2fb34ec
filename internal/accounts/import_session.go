package accounts

import (
	"context"
	"database/sql"
	"fmt"
)

// ImportSession adds a session that another backend opened, with the token it has,
// inside a transaction of the caller. It lives as any other: its owner's token key
// ends it.
func ImportSession(ctx context.Context, tx *sql.Tx, tokenKey, token string, session Session) error {
	client := Client{IPAddress: session.IPAddress, UserAgent: session.UserAgent}.bounded()
	_, err := tx.ExecContext(ctx, `
		INSERT INTO sessions (id, user, kind, token_hash, token_key_hash, expires_at, remember, ip_address, user_agent,
			created_at, updated_at, last_used_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		session.ID, session.UserID, string(BetterAuth), tokenHash(token), tokenHash(tokenKey), formatTime(session.ExpiresAt), session.Remember,
		client.IPAddress, client.UserAgent, formatTime(session.CreatedAt), formatTime(session.UpdatedAt), formatTime(session.UpdatedAt))
	if err != nil {
		return fmt.Errorf("import a session: %w", err)
	}
	return nil
}

// HasSession tells whether a session's id or its token is taken.
func HasSession(ctx context.Context, tx *sql.Tx, id, token string) (found bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ? OR token_hash = ?)`, id, tokenHash(token)).Scan(&found)
	return found, err
}
