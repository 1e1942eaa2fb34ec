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

	maxUserAgentBytes = 512
	maxAddressBytes   = 64
)

// Session is one signed-in client of a user.
type Session struct {
	ID        string
	UserID    string
	ExpiresAt time.Time
	Remember  bool // false: ends with the browser, or after ShortSessionLifetime
	IPAddress string
	UserAgent string
	CreatedAt time.Time
	UpdatedAt time.Time
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

// lifetime is how long after its last move the session expires.
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
// SessionSlideAfter, counted from its last move.
func (s Session) mustSlide(now time.Time) bool {
	return s.Remember && !now.Before(s.ExpiresAt.Add(-SessionLifetime+SessionSlideAfter))
}

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
