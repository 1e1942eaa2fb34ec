package hooks

import (
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"sokuji/internal/betterauth"
)

// refuseTakenAddress answers a sign-up with an address that has an account. Where
// new users verify their address before they may sign in, the answer is that to a
// new address, as the library gives it: a sign-up then tells nobody who has an
// account, and changes nothing. Elsewhere it could not be hidden, because a new
// user is signed in by it.
func (s *server) refuseTakenAddress(e *core.RequestEvent, form betterauth.SignUp) error {
	users, err := e.App.FindCachedCollectionByNameOrId(usersCollection)
	if err != nil {
		return err
	}
	if !demandsVerification(users) {
		return betterauth.ErrUserAlreadyExists
	}
	s.spendPasswordTime(users, form.Password)
	return writeAuthJSON(e, http.StatusOK, betterauth.SignUpAnswer{User: authUser(lookAlike(users, form))})
}

// demandsVerification tells whether the rule for signing in keeps new users out
// until their address is verified.
func demandsVerification(users *core.Collection) bool {
	return users.AuthRule == nil || strings.Contains(*users.AuthRule, core.FieldNameVerified)
}

// lookAlike is the user whom the form would have made. It is not stored.
func lookAlike(users *core.Collection, form betterauth.SignUp) *core.Record {
	now, record := types.NowDateTime(), core.NewRecord(users)
	record.Id = core.GenerateDefaultRandomId()
	record.SetEmail(form.Email)
	record.Set("name", form.Name)
	if form.Image != nil {
		record.Set("image", *form.Image)
	}
	record.SetRaw("created", now)
	record.SetRaw("updated", now)
	return record
}
