package accounts

import (
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
const selectSession = `SELECT s.id, s.user, s.expires_at, s.remember, s.ip_address, s.user_agent,
s.created_at, s.updated_at, s.token_key_hash, u.tokenKey
FROM sessions s JOIN users u ON u.id = s.user`

// scanSession returns the session and whether its user still has the token key
// with which it began.
func scanSession(row interface{ Scan(...any) error }) (Session, bool, error) {
	var session Session
	var expires, created, updated, keyHash, tokenKey string
	err := row.Scan(&session.ID, &session.UserID, &expires, &session.Remember, &session.IPAddress, &session.UserAgent,
		&created, &updated, &keyHash, &tokenKey)
	if err != nil {
		return Session{}, false, fmt.Errorf("read a session: %w", err)
	}
	for _, instant := range []struct {
		text   string
		target *time.Time
	}{{expires, &session.ExpiresAt}, {created, &session.CreatedAt}, {updated, &session.UpdatedAt}} {
		if *instant.target, err = time.Parse(timeLayout, instant.text); err != nil {
			return Session{}, false, fmt.Errorf("session %s: %w", session.ID, err)
		}
	}
	return session, keyHash == tokenHash(tokenKey), nil
}
