package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// standing is what a member of an organisation must be for something.
type standing int

const (
	// anyMember may see what there is to spend, and spend it.
	anyMember standing = iota
	// adminOnly keeps an organisation's histories to its owners and admins.
	adminOnly
)

// mayEnterWallet admits a caller to a wallet: superusers to all, a user and the
// keys of a user to their own.
func (s *server) mayEnterWallet(_ *core.RequestEvent, c caller, subject ledger.Subject, _ standing) error {
	if c.kind == superuser {
		return nil
	}
	if subject != ledger.UserSubject(c.userID) {
		return forbidden("This is not your wallet.")
	}
	return nil
}

// requireWalletSpender admits whoever may take tokens from the wallet that the
// body names, and returns it.
func (s *server) requireWalletSpender(e *core.RequestEvent, body *fields) (caller, ledger.Subject, error) {
	c, err := requireSpender(e)
	if err != nil {
		return c, ledger.Subject{}, err
	}
	named, isNamed, err := subjectOfBody(body)
	if err != nil {
		return c, ledger.Subject{}, err
	}
	if !isNamed {
		if c.kind == superuser {
			return c, ledger.Subject{}, missingSubject()
		}
		named = ledger.UserSubject(c.userID)
	}
	return c, named, s.mayEnterWallet(e, c, named, anyMember)
}
