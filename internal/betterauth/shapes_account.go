package betterauth

// CredentialProvider is the provider of an account that signs in with a password.
const CredentialProvider = "credential"

// Account is one way to sign in as a user, as list-accounts shows it.
type Account struct {
	// AccountID is the user's id at the provider; for a password, here.
	AccountID  string `json:"accountId"`
	ProviderID string `json:"providerId"`
	UserID     string `json:"userId"`
	CreatedAt  Time   `json:"createdAt"`
	UpdatedAt  Time   `json:"updatedAt"`
	ID         string `json:"id"`
	// Scopes is never nil: an empty list stands as [].
	Scopes []string `json:"scopes"`
}

// ChangePasswordAnswer is the answer to change-password. Token is the raw token of
// the session that replaces the caller's.
type ChangePasswordAnswer struct {
	Token *string `json:"token"`
	User  User    `json:"user"`
}

// StatusAnswer is the answer of routes that have nothing to say but yes.
type StatusAnswer struct {
	Status bool `json:"status"`
}

// ResetRequestedAnswer is the answer to request-password-reset, the same whether
// or not anybody has that address.
type ResetRequestedAnswer struct {
	Status  bool   `json:"status"`
	Message string `json:"message"`
}

// ResetRequested is what request-password-reset answers.
var ResetRequested = ResetRequestedAnswer{
	Status: true, Message: "If this email exists in our system, check your email for the reset link",
}

// VerifiedAnswer is the answer to verify-email without a callbackURL. User is
// there only after a change of the address; otherwise it stands as null.
type VerifiedAnswer struct {
	Status bool  `json:"status"`
	User   *User `json:"user"`
}

// DeletedAnswer is the answer to delete-user.
type DeletedAnswer struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}
