package accounts

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

const (
	// SessionLifetime is how long a session lives without being used, and
	// SessionSlideAfter how old its expiry must be before a use moves it on; both
	// are the original's.
	SessionLifetime   = 7 * 24 * time.Hour
	SessionSlideAfter = 24 * time.Hour
	// ShortSessionLifetime is for a sign-in with rememberMe:false. It does not
	// slide: the browser forgets it when it closes.
	ShortSessionLifetime = 24 * time.Hour

	// MaxSessionsPerUser bounds a user's rows. One more sign-in ends the session
	// that was not used for the longest time: a refusal would let a script that
	// signs in at every request lock its owner out.
	MaxSessionsPerUser = 100

	maxUserAgentBytes = 512
	maxAddressBytes   = 64
)

// Kind is the road by which a session was opened.
type Kind string

const (
	// BetterAuth sessions have a random token, of which we keep the hash.
	BetterAuth Kind = "better_auth"
	// PocketBase sessions are named by a claim of signed record tokens. A refresh
	// makes another token of the same session.
	PocketBase Kind = "pocketbase"
	// Impersonation is a PocketBase session that a superuser opened for a user. Its
	// token cannot be refreshed.
	Impersonation Kind = "impersonation"
)

// kindOf reads a kind. It returns our constants, so that a session in memory keeps
// no text of its own for it.
func kindOf(text string) Kind {
	for _, kind := range []Kind{PocketBase, Impersonation} {
		if string(kind) == text {
			return kind
		}
	}
	return BetterAuth
}

// Session is one signed-in client of a user.
type Session struct {
	ID         string
	UserID     string
	Kind       Kind
	ExpiresAt  time.Time
	Remember   bool // false: ends with the browser, or after ShortSessionLifetime
	IPAddress  string
	UserAgent  string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	LastUsedAt time.Time // at most LastUseInterval behind
}

// Client is what a session remembers about who opened it.
type Client struct {
	IPAddress string
	UserAgent string
}

func (c Client) bounded() Client {
	return Client{
		IPAddress: cut(c.IPAddress, maxAddressBytes),
		UserAgent: cut(c.UserAgent, maxUserAgentBytes),
	}
}

// lifetime is how long after its last move a session of the Better Auth road
// expires.
func (s Session) lifetime() time.Duration {
	if s.Remember {
		return SessionLifetime
	}
	return ShortSessionLifetime
}

func (s Session) expired(now time.Time) bool {
	return !now.Before(s.ExpiresAt)
}

// mustSlide follows Better Auth: a session moves on when it is as old as
// SessionSlideAfter, counted from its last move. PocketBase's move by a refresh.
func (s Session) mustSlide(now time.Time) bool {
	return s.Kind == BetterAuth && s.Remember && !now.Before(s.ExpiresAt.Add(-SessionLifetime+SessionSlideAfter))
}

// Key is what a credential finds its session by.
type Key string

// TokenKeyOf is the key of a token of the Better Auth road.
func TokenKeyOf(token string) Key { return Key(tokenHash(token)) }

// NameKeyOf is the key of a session that a PocketBase token names. No hash looks
// like it, so that no random token finds such a session.
func NameKeyOf(sessionID string) Key { return Key("name:" + sessionID) }

// tokenHash is the form in which a token is stored and looked up. A token has
// about 190 random bits, so a plain hash is enough.
func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func cut(text string, maxBytes int) string {
	if len(text) > maxBytes {
		text = text[:maxBytes]
	}
	return strings.ToValidUTF8(text, "")
}
