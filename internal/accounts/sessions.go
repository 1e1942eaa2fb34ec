package accounts

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"sokuji/internal/betterauth"
)

// Sessions is the one place that creates, finds and ends sessions. A session
// also ends when its user's tokenKey changes (a new password, or an admin's
// "invalidate all tokens"): each carries the key's hash from the time it began.
type Sessions struct {
	writer *sql.DB
	reader *sql.DB
	now    func() time.Time
	random io.Reader
	cache  *sessionCache
}

// NewSessions uses PocketBase's pools; the schema must be there.
func NewSessions(writer, reader *sql.DB, now func() time.Time) *Sessions {
	return &Sessions{writer: writer, reader: reader, now: now, random: rand.Reader, cache: newSessionCache()}
}

// Owner is a user as sessions know it: TokenKey is the secret that PocketBase
// replaces to end everything the user has open.
type Owner struct {
	ID       string
	TokenKey string
}

// Create opens a session of a user and returns its token, which is not stored
// and cannot be had again.
func (s *Sessions) Create(ctx context.Context, owner Owner, client Client, remember bool) (string, Session, error) {
	token, err := betterauth.NewToken(s.random)
	if err != nil {
		return "", Session{}, fmt.Errorf("session token: %w", err)
	}
	id, err := betterauth.NewToken(s.random)
	if err != nil {
		return "", Session{}, fmt.Errorf("session id: %w", err)
	}
	now := s.now().UTC().Truncate(time.Millisecond)
	client = client.bounded()
	session := Session{
		ID: id, UserID: owner.ID, Remember: remember,
		IPAddress: client.IPAddress, UserAgent: client.UserAgent, CreatedAt: now, UpdatedAt: now,
	}
	session.ExpiresAt = now.Add(session.lifetime())
	if err := s.insert(ctx, tokenHash(token), owner.TokenKey, session); err != nil {
		return "", Session{}, err
	}
	return token, session, nil
}

// Find returns the session of a token, if it is alive.
func (s *Sessions) Find(ctx context.Context, token string) (Session, bool, error) {
	hash := tokenHash(token)
	session, cached, generation := s.cache.get(hash)
	if !cached {
		var found bool
		var err error
		session, found, err = s.load(ctx, hash)
		if err != nil || !found {
			return Session{}, false, err
		}
		s.cache.fill(hash, session, generation)
	}
	if session.expired(s.now()) {
		return Session{}, false, nil
	}
	return session, true, nil
}

// Slide moves the expiry of a session that is due, and returns the session as it
// is now and whether it moved.
func (s *Sessions) Slide(ctx context.Context, session Session) (Session, bool, error) {
	now := s.now().UTC().Truncate(time.Millisecond)
	if !session.mustSlide(now) {
		return session, false, nil
	}
	session.ExpiresAt, session.UpdatedAt = now.Add(session.lifetime()), now
	_, err := s.writer.ExecContext(ctx, `UPDATE sessions SET expires_at = ?, updated_at = ? WHERE id = ?`,
		formatTime(session.ExpiresAt), formatTime(now), session.ID)
	if err != nil {
		return session, false, fmt.Errorf("slide a session: %w", err)
	}
	s.cache.forget(session.ID)
	return session, true, nil
}

// List returns the living sessions of a user, oldest first.
func (s *Sessions) List(ctx context.Context, userID string) (sessions []Session, err error) {
	rows, err := s.reader.QueryContext(ctx, selectSession+` WHERE s.user = ? AND s.expires_at > ? ORDER BY s.created_at, s.id`,
		userID, formatTime(s.now()))
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		session, alive, err := scanSession(rows)
		if err != nil {
			return nil, err
		}
		if alive {
			sessions = append(sessions, session)
		}
	}
	return sessions, rows.Err()
}

// End ends one session of a user. It is over when End returns; ending one that
// is not there, or another user's, does nothing.
func (s *Sessions) End(ctx context.Context, userID, sessionID string) error {
	return s.end(ctx, `DELETE FROM sessions WHERE user = ? AND id = ?`, userID, sessionID)
}

// EndOthers ends all sessions of a user but one.
func (s *Sessions) EndOthers(ctx context.Context, userID, keepSessionID string) error {
	return s.end(ctx, `DELETE FROM sessions WHERE user = ? AND id != ?`, userID, keepSessionID)
}

// EndAll ends all sessions of a user.
func (s *Sessions) EndAll(ctx context.Context, userID string) error {
	return s.end(ctx, `DELETE FROM sessions WHERE user = ?`, userID)
}

// Forget drops a session from memory after somebody else changed its row.
func (s *Sessions) Forget(sessionID string) { s.cache.forget(sessionID) }

// ForgetUser drops a user's sessions from memory after the user changed.
func (s *Sessions) ForgetUser(userID string) { s.cache.forgetUser(userID) }

// DeleteExpired removes dead rows, at most limit of them, and returns how many.
func (s *Sessions) DeleteExpired(ctx context.Context, limit int64) (int64, error) {
	result, err := s.writer.ExecContext(ctx,
		`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ? LIMIT ?)`, formatTime(s.now()), limit)
	if err != nil {
		return 0, fmt.Errorf("delete expired sessions: %w", err)
	}
	return result.RowsAffected()
}

func (s *Sessions) end(ctx context.Context, statement, userID string, arguments ...any) error {
	// A client that leaves halfway must not leave a session that is over on disk
	// and alive in memory, nor may an error that hides a commit.
	defer s.cache.forgetUser(userID)
	_, err := s.writer.ExecContext(context.WithoutCancel(ctx), statement, append([]any{userID}, arguments...)...)
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

func (s *Sessions) insert(ctx context.Context, hash, tokenKey string, session Session) error {
	_, err := s.writer.ExecContext(ctx, `
		INSERT INTO sessions (id, user, token_hash, token_key_hash, expires_at, remember, ip_address, user_agent, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		session.ID, session.UserID, hash, tokenHash(tokenKey), formatTime(session.ExpiresAt), session.Remember,
		session.IPAddress, session.UserAgent, formatTime(session.CreatedAt), formatTime(session.UpdatedAt))
	if err != nil {
		return fmt.Errorf("create a session: %w", err)
	}
	return nil
}

func (s *Sessions) load(ctx context.Context, hash string) (Session, bool, error) {
	session, alive, err := scanSession(s.reader.QueryRowContext(ctx, selectSession+` WHERE s.token_hash = ?`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, false, nil
	}
	if err != nil {
		return Session{}, false, err
	}
	return session, alive, nil
}
