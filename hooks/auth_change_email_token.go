package hooks

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"sokuji/internal/betterauth"
)

// The tokens of a change of address on Better Auth's road. They have types of their
// own, and PocketBase's token of that name is not taken here, nor these there:
// PocketBase's road asks for the password instead of the old address, and a token
// that both took would get around either.
const (
	changeRequestToken = "sokujiEmailChangeRequest" // sent to the old address
	changeConfirmToken = "sokujiEmailChangeConfirm" // sent to the new one
)

// newEmailToken is signed with the user's token key, like PocketBase's: any new
// password or address ends it. It lives as long as an admin lets PocketBase's.
func newEmailToken(record *core.Record, kind, newEmail string) (string, error) {
	return security.NewJWT(map[string]any{
		core.TokenClaimType:         kind,
		core.TokenClaimId:           record.Id,
		core.TokenClaimCollectionId: record.Collection().Id,
		core.TokenClaimEmail:        record.Email(),
		core.TokenClaimNewEmail:     newEmail,
	}, emailTokenKey(record), record.Collection().EmailChangeToken.DurationTime())
}

func emailTokenKey(record *core.Record) string {
	return record.TokenKey() + record.Collection().EmailChangeToken.Secret
}

// userOfEmailToken returns the user whose address a token changes, and the new one.
// A browser in which somebody else is signed in may not follow it.
func (s *server) userOfEmailToken(e *core.RequestEvent, token, kind string) (*core.Record, string, error) {
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return nil, "", unusableToken(token)
	}
	id, _ := claims[core.TokenClaimId].(string)
	record, err := e.App.FindRecordById(usersCollection, id)
	if err != nil {
		return nil, "", betterauth.ErrInvalidVerificationToken
	}
	if claims, err = security.ParseJWT(token, emailTokenKey(record)); err != nil {
		return nil, "", unusableToken(token)
	}
	newEmail, _ := claims[core.TokenClaimNewEmail].(string)
	if claims[core.TokenClaimType] != kind || claims[core.TokenClaimEmail] != record.Email() || !betterauth.ValidEmail(newEmail) {
		return nil, "", betterauth.ErrInvalidVerificationToken
	}
	if c := callerOf(e); c.kind == user && c.userID != record.Id {
		return nil, "", betterauth.ErrInvalidUser
	}
	return record, newEmail, nil
}

// tokenType reads what a token claims to be, unverified and however old; empty for
// none.
func tokenType(token string) string {
	claims, _ := security.ParseUnverifiedJWT(token)
	kind, _ := claims[core.TokenClaimType].(string)
	return kind
}
