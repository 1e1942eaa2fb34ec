package betterauth

// The order of the fields below is the order of the keys on the wire.

// User is a user as every answer shows one.
type User struct {
	Name          string `json:"name"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"emailVerified"`
	// Image is the address of a picture. Without one (nil) the key is absent.
	Image     *string `json:"image,omitempty"`
	CreatedAt Time    `json:"createdAt"`
	UpdatedAt Time    `json:"updatedAt"`
	ID        string  `json:"id"`
}

// Session is a session as get-session and list-sessions show one.
type Session struct {
	ExpiresAt Time `json:"expiresAt"`
	// Token is the raw session token, or what revoke-session takes in its place.
	Token     string `json:"token"`
	CreatedAt Time   `json:"createdAt"`
	UpdatedAt Time   `json:"updatedAt"`
	// IPAddress and UserAgent are empty when unknown, never absent.
	IPAddress string `json:"ipAddress"`
	UserAgent string `json:"userAgent"`
	UserID    string `json:"userId"`
	ID        string `json:"id"`
}

// SignUpAnswer is the answer to sign-up/email. Token is the raw session token, or
// nil when the new user may not sign in yet.
type SignUpAnswer struct {
	Token *string `json:"token"`
	User  User    `json:"user"`
}

// SignInAnswer is the answer to sign-in/email. Make it with NewSignInAnswer.
type SignInAnswer struct {
	Redirect bool   `json:"redirect"`
	Token    string `json:"token"`
	// URL is the callbackURL of the request, absent when it had none.
	URL  *string `json:"url,omitempty"`
	User User    `json:"user"`
}

// NewSignInAnswer returns the answer to a sign-in. callbackURL is the one of the
// request (nil if it had none), already accepted by CheckCallbackURL; when it is
// there and not empty the client is told to go there, and the response needs a
// Location header with it. Token is the raw session token.
func NewSignInAnswer(token string, user User, callbackURL *string) SignInAnswer {
	return SignInAnswer{
		Redirect: callbackURL != nil && *callbackURL != "",
		Token:    token,
		URL:      callbackURL,
		User:     user,
	}
}

// SessionAnswer is the answer to get-session. A nil *SessionAnswer is the answer
// without a session: it encodes as null.
type SessionAnswer struct {
	Session Session `json:"session"`
	User    User    `json:"user"`
}
