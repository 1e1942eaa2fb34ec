package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// mailTokenSeconds is how long the token in a mail is good, by Better Auth's
// defaults: an hour.
const mailTokenSeconds = 60 * 60

// The tokens of both roads are the same, so both get Better Auth's time; one that
// an admin has chosen stays. These are PocketBase's own defaults:
// https://github.com/pocketbase/pocketbase/blob/v0.39.11/core/collection_model_auth_options.go#L60
const (
	defaultResetSeconds        = 1_800
	defaultEmailChangeSeconds  = 1_800
	defaultVerificationSeconds = 86_400
)

func init() {
	m.Register(func(app core.App) error {
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		mailTokensLiveAnHour(users)
		return app.Save(users)
	}, nil)
}

func mailTokensLiveAnHour(users *core.Collection) {
	for _, token := range []struct {
		config    *core.TokenConfig
		untouched int64
	}{
		{&users.PasswordResetToken, defaultResetSeconds},
		{&users.EmailChangeToken, defaultEmailChangeSeconds},
		{&users.VerificationToken, defaultVerificationSeconds},
	} {
		if token.config.Duration == token.untouched {
			token.config.Duration = mailTokenSeconds
		}
	}
}
