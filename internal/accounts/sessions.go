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
	writer   *sql.DB
	reader   *sql.DB
	now      func() time.Time
	random   io.Reader
	cache    *sessionCache
	uses     lastUses
	observer Observer
}

// Observer is told what happens beside a request. Both functions must be quick
// and must not call back into Sessions' writes.
type Observer struct {
	// Dropped: a user signed in once too often, and older sessions ended.
	Dropped func(userID string)
	// Failed: last uses could not be written.
	Failed func(error)
}

// NewSessions uses PocketBase's pools; the schema must be there.
func NewSessions(writer, reader *sql.DB, now func() time.Time) *Sessions {
	return &Sessions{
		writer: writer, reader: reader, now: now, random: rand.Reader, cache: newSessionCache(),
		observer: Observer{Dropped: func(string) {}, Failed: func(error) {}},
	}
}

// Observe sets who is told; before the first session is used.
func (s *Sessions) Observe(observer Observer) { s.observer = observer }

// Owner is a user as sessions know it: TokenKey is the secret that PocketBase
// replaces to end everything the user has open.
type Owner struct {
	ID       string
	TokenKey string
}

// Create opens a session of a user by the Better Auth road and returns its token,
// which is not stored and cannot be had again.
func (s *Sessions) Create(ctx context.Context, owner Owner, client Client, remember bool) (string, Session, error) {
	token, err := betterauth.NewToken(s.random)
	if err != nil {
		return "", Session{}, fmt.Errorf("session token: %w", err)
	}
	id, err := s.NewID()
	if err != nil {
		return "", Session{}, err
	}
	session := s.begin(id, owner, client)
	session.Kind, session.Remember = BetterAuth, remember
	session.ExpiresAt = session.CreatedAt.Add(session.lifetime())
	if err := s.insert(ctx, TokenKeyOf(token), owner, session); err != nil {
		return "", Session{}, err
	}
	return token, session, nil
}

// NewID makes an id for a session that is yet to be opened.
func (s *Sessions) NewID() (string, error) {
	id, err := betterauth.NewToken(s.random)
	if err != nil {
		return "", fmt.Errorf("session id: %w", err)
	}
	return id, nil
}

// Open stores a session whose token, signed by PocketBase's key, names its id.
func (s *Sessions) Open(ctx context.Context, id string, kind Kind, owner Owner, client Client, expires time.Time) error {
	session := s.begin(id, owner, client)
	session.Kind, session.Remember, session.ExpiresAt = kind, true, expires
	return s.insert(ctx, NameKeyOf(id), owner, session)
}

// Renew moves the expiry of a session whose token was refreshed, never back. It
// tells whether the session was still there.
func (s *Sessions) Renew(ctx context.Context, userID, sessionID string, expires time.Time) (bool, error) {
	now := formatTime(s.now())
	result, err := s.writer.ExecContext(ctx, `
		UPDATE sessions SET expires_at = max(expires_at, ?), updated_at = ?, last_used_at = ?
		WHERE id = ? AND user = ? AND expires_at > ?`, formatTime(expires), now, now, sessionID, userID, now)
	s.cache.forget(sessionID)
	if err != nil {
		return false, fmt.Errorf("renew a session: %w", err)
	}
	renewed, err := result.RowsAffected()
	return renewed == 1, err
}

// Find returns the session of a token of the Better Auth road, if it is alive.
func (s *Sessions) Find(ctx context.Context, token string) (Session, bool, error) {
	return s.FindByKey(ctx, TokenKeyOf(token))
}

// FindByKey returns a session, if it is alive.
func (s *Sessions) FindByKey(ctx context.Context, key Key) (Session, bool, error) {
	session, cached, generation := s.cache.get(key)
	if !cached {
		var found bool
		var err error
		session, found, err = s.load(ctx, key)
		if err != nil || !found {
			return Session{}, false, err
		}
		s.cache.fill(key, session, generation)
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
	session.ExpiresAt, session.UpdatedAt, session.LastUsedAt = now.Add(session.lifetime()), now, now
	_, err := s.writer.ExecContext(ctx, `UPDATE sessions SET expires_at = ?, updated_at = ?, last_used_at = ? WHERE id = ?`,
		formatTime(session.ExpiresAt), formatTime(now), formatTime(now), session.ID)
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

// ForgetAll drops all sessions from memory after something changed for all users.
func (s *Sessions) ForgetAll() { s.cache.forgetAll() }

func (s *Sessions) begin(id string, owner Owner, client Client) Session {
	now := s.now().UTC().Truncate(time.Millisecond)
	client = client.bounded()
	return Session{
		ID: id, UserID: owner.ID, IPAddress: client.IPAddress, UserAgent: client.UserAgent,
		CreatedAt: now, UpdatedAt: now, LastUsedAt: now,
	}
}

func (s *Sessions) insert(ctx context.Context, key Key, owner Owner, session Session) error {
	ended, err := insertSession(ctx, s.writer, key, owner.TokenKey, session)
	if ended > 0 {
		s.cache.forgetUser(owner.ID)
		s.observer.Dropped(owner.ID)
	}
	return err
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

func (s *Sessions) load(ctx context.Context, key Key) (Session, bool, error) {
	session, alive, err := scanSession(s.reader.QueryRowContext(ctx, selectSession+` WHERE s.token_hash = ?`, key))
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, false, nil
	}
	if err != nil {
		return Session{}, false, err
	}
	return session, alive, nil
}
