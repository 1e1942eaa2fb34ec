package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sokuji/internal/betterauth"
)

const (
	// OneTimeTokenLifetime is how long a one-time token is good.
	OneTimeTokenLifetime = 3 * time.Minute
	// MaxOneTimeTokens is how many tokens of one session are good at a time; the
	// oldest makes room.
	MaxOneTimeTokens = 16

	purposeOneTimeToken = "one-time-token"
	sealPurpose         = "session of a one-time token"
)

// ErrTokenInvalid is for a one-time token that never was, was used, or is over.
var ErrTokenInvalid = errors.New("the one-time token is not valid")

// NewOneTimeToken returns a token that stands for a session of a user, once. The
// session's own token is stored with it, encrypted with the new token, of which
// only a hash is stored: the database alone opens neither.
func (v *Verifications) NewOneTimeToken(ctx context.Context, session Session, sessionToken string) (string, error) {
	token, err := betterauth.NewToken(v.random)
	if err != nil {
		return "", fmt.Errorf("a one-time token: %w", err)
	}
	sealed, err := betterauth.Seal(v.random, betterauth.PurposeKey([]byte(token), sealPurpose), []byte(sessionToken))
	if err != nil {
		return "", err
	}
	now := v.now()
	tx, err := v.writer.BeginTx(ctx, nil)
	if err != nil {
		return "", fmt.Errorf("store a one-time token: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(ctx, `
		INSERT INTO verifications (purpose, subject, hash, sealed, user_id, session_id, created_at, expires_at)
		VALUES (?, ?, '', ?, ?, ?, ?, ?)`,
		purposeOneTimeToken, tokenHash(token), sealed, session.UserID, session.ID, formatTime(now), formatTime(now.Add(OneTimeTokenLifetime)))
	if err != nil {
		return "", fmt.Errorf("store a one-time token: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		DELETE FROM verifications WHERE session_id = ?1 AND purpose = ?2 AND subject IN (
			SELECT subject FROM verifications WHERE session_id = ?1 AND purpose = ?2 AND subject != ?3
			ORDER BY created_at DESC LIMIT -1 OFFSET ?4)`,
		session.ID, purposeOneTimeToken, tokenHash(token), MaxOneTimeTokens-1)
	if err != nil {
		return "", fmt.Errorf("bound the one-time tokens: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return "", fmt.Errorf("store a one-time token: %w", err)
	}
	return token, nil
}

// UseOneTimeToken takes a token and returns the token of the session it stands
// for, which may have ended. Of any number of callers one gets it: whoever deletes
// the row. Error: ErrTokenInvalid.
func (v *Verifications) UseOneTimeToken(ctx context.Context, token string) (sessionToken string, err error) {
	var sealed, expires string
	err = v.writer.QueryRowContext(context.WithoutCancel(ctx), `
		DELETE FROM verifications WHERE purpose = ? AND subject = ? RETURNING sealed, expires_at`,
		purposeOneTimeToken, tokenHash(token)).Scan(&sealed, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrTokenInvalid
	}
	if err != nil {
		return "", fmt.Errorf("use a one-time token: %w", err)
	}
	if expires <= formatTime(v.now()) {
		return "", ErrTokenInvalid
	}
	plain, ok := betterauth.Open(betterauth.PurposeKey([]byte(token), sealPurpose), sealed)
	if !ok {
		return "", ErrTokenInvalid
	}
	return string(plain), nil
}
