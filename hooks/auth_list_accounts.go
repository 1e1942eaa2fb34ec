package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/betterauth"
)

// authListAccounts shows by which ways the caller may sign in: the password, and
// what PocketBase has linked from OAuth2 providers.
func (s *server) authListAccounts(e *core.RequestEvent) error {
	c, err := requireAuthUser(e)
	if err != nil {
		return err
	}
	accounts := []betterauth.Account{}
	if e.Auth.Collection().PasswordAuth.Enabled {
		accounts = append(accounts, credentialAccount(e.Auth))
	}
	linked, err := e.App.FindAllExternalAuthsByRecord(e.Auth)
	if err != nil {
		return err
	}
	for _, external := range linked {
		accounts = append(accounts, betterauth.Account{
			AccountID:  external.ProviderId(),
			ProviderID: external.Provider(),
			UserID:     c.userID,
			CreatedAt:  betterauth.Time(external.Created().Time()),
			UpdatedAt:  betterauth.Time(external.Updated().Time()),
			ID:         external.Id,
			Scopes:     []string{},
		})
	}
	return writeAuthJSON(e, http.StatusOK, accounts)
}

// credentialAccount stands for the password: PocketBase keeps it with the user, so
// it has no row and no id of its own.
func credentialAccount(record *core.Record) betterauth.Account {
	return betterauth.Account{
		AccountID:  record.Id,
		ProviderID: betterauth.CredentialProvider,
		UserID:     record.Id,
		CreatedAt:  betterauth.Time(record.GetDateTime("created").Time()),
		UpdatedAt:  betterauth.Time(record.GetDateTime("updated").Time()),
		ID:         record.Id,
		Scopes:     []string{},
	}
}
