package migrations

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// What an admin chose for the tokens in mails stays; PocketBase's own defaults give
// way to an hour.
func TestMailTokensLiveAnHourUnlessAnAdminChose(t *testing.T) {
	fresh := core.NewAuthCollection("users")
	mailTokensLiveAnHour(fresh)
	if got := [3]int64{fresh.PasswordResetToken.Duration, fresh.EmailChangeToken.Duration, fresh.VerificationToken.Duration}; got != [3]int64{3600, 3600, 3600} {
		t.Errorf("PocketBase's defaults became %v", got)
	}
	chosen := core.NewAuthCollection("users")
	chosen.PasswordResetToken.Duration, chosen.EmailChangeToken.Duration, chosen.VerificationToken.Duration = 600, 7200, 604_800
	mailTokensLiveAnHour(chosen)
	if got := [3]int64{chosen.PasswordResetToken.Duration, chosen.EmailChangeToken.Duration, chosen.VerificationToken.Duration}; got != [3]int64{600, 7200, 604_800} {
		t.Errorf("an admin's choice became %v", got)
	}
}
