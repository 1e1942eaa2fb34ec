package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
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
// keys of a user to their own, and members to their organisation's. To everybody
// else a wallet looks like one that is not there.
func (s *server) mayEnterWallet(e *core.RequestEvent, c caller, subject ledger.Subject, need standing) error {
	if c.kind == superuser || subject == ledger.UserSubject(c.userID) {
		return nil
	}
	notYours := forbidden("This is not your wallet.")
	if subject.Type != ledger.SubjectOrganization {
		return notYours
	}
	as, err := s.roleOf(e.Request.Context(), seat{organizationID: subject.ID, userID: c.userID})
	if err != nil {
		return err
	}
	if as == "" {
		return notYours
	}
	if need == adminOnly && !as.leads() {
		return forbidden("Only owners and admins read this of an organization: a member sees its balance and status.")
	}
	return nil
}

// requireWalletViewer admits whoever may see what is in the wallet that the query
// names, and returns it. Without a name it is the caller's own.
func (s *server) requireWalletViewer(e *core.RequestEvent) (ledger.Subject, error) {
	return s.requireReader(e, anyMember)
}

// requireWalletReader does the same for a wallet's histories.
func (s *server) requireWalletReader(e *core.RequestEvent) (ledger.Subject, error) {
	return s.requireReader(e, adminOnly)
}

func (s *server) requireReader(e *core.RequestEvent, need standing) (ledger.Subject, error) {
	c := callerOf(e)
	if c.kind == guest {
		return ledger.Subject{}, unauthorized()
	}
	if c.kind == apiKey && !c.grant.Scopes.Has(apikeys.ScopeWalletRead) {
		return ledger.Subject{}, missingScope(apikeys.ScopeWalletRead)
	}
	named, isNamed, err := subjectOfQuery(e.Request.URL.Query())
	if err != nil {
		return ledger.Subject{}, err
	}
	return s.enter(e, c, named, isNamed, need)
}

// spendRequest opens a route that takes tokens from the wallet that the body names,
// for a superuser or a key with the scope. The body is read only for those.
func (s *server) spendRequest(e *core.RequestEvent, maxBodyBytes int64) (*fields, caller, ledger.Request, error) {
	c, body, err := spendBody(e, maxBodyBytes)
	if err != nil {
		return nil, c, ledger.Request{}, err
	}
	named, isNamed, err := subjectOfBody(body)
	if err != nil {
		return nil, c, ledger.Request{}, err
	}
	subject, err := s.enter(e, c, named, isNamed, anyMember)
	return body, c, request(e, c, subject), err
}

func spendBody(e *core.RequestEvent, maxBodyBytes int64) (caller, *fields, error) {
	c, err := requireSpender(e)
	if err != nil {
		return c, nil, err
	}
	raw, err := readBody(e, maxBodyBytes)
	if err != nil {
		return c, nil, err
	}
	body, err := parseFields(raw)
	return c, body, err
}

func (s *server) enter(e *core.RequestEvent, c caller, named ledger.Subject, isNamed bool, need standing) (ledger.Subject, error) {
	if isNamed {
		return named, s.mayEnterWallet(e, c, named, need)
	}
	if c.kind == superuser {
		return ledger.Subject{}, missingSubject()
	}
	return ledger.UserSubject(c.userID), nil
}

// requireSpender admits whoever may take tokens from some wallet.
func requireSpender(e *core.RequestEvent) (caller, error) {
	c := callerOf(e)
	switch c.kind {
	case guest:
		return c, unauthorized()
	case user:
		return c, forbidden("A user does not charge wallets: use an API key with the scope wallet:charge, or a superuser.")
	case apiKey:
		if !c.grant.Scopes.Has(apikeys.ScopeWalletCharge) {
			return c, missingScope(apikeys.ScopeWalletCharge)
		}
	}
	return c, nil
}
