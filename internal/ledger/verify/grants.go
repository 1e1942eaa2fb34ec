package verify

import (
	"encoding/json"
	"fmt"
	"time"

	"sokuji/internal/ledger"
)

const allGrants = `SELECT g.rowid, g.id, g.subject_type, g.subject_id, g.amount_tokens, g.remaining_tokens, g.expired_tokens,
g.state, g.expires_at, g.created_at, e.subject_type, e.subject_id, e.event_type, e.metadata, e.amount_tokens
FROM wallet_grants g NOT INDEXED LEFT JOIN wallet_ledger e ON e.id = g.id ORDER BY g.rowid`

// grantSums is what is known of a grant, and what its moves add up to.
type grantSums struct {
	ledger.Grant
	moved   int64
	expired int64
}

// checkGrants holds grants against their mints, and then against their moves.
func (a *audit) checkGrants() error {
	grants := make(map[string]*grantSums)
	var ids []string // in the order of the table, for findings that come in the same order every time
	a.expiring = make(map[ledger.Subject]int64)
	err := a.each(func(c *cells) error {
		a.report.Grants++
		grant, rowid := readGrant(c)
		problem := c.problem
		if problem == "" {
			problem = mintProblem(c, grant)
		}
		if problem != "" {
			a.report.find("wallet_grants", rowName(grant.ID, rowid), "%s", problem)
		}
		grants[grant.ID] = &grantSums{Grant: grant}
		ids = append(ids, grant.ID)
		if grant.State == ledger.GrantLive {
			a.expiring[grant.Subject] += grant.Remaining
		}
		return nil
	}, allGrants)
	if err != nil {
		return err
	}
	if err := a.checkMoves(grants); err != nil {
		return err
	}
	for _, id := range ids {
		a.compareGrant(grants[id])
	}
	return nil
}

func (a *audit) compareGrant(g *grantSums) {
	if g.moved != g.Remaining {
		a.report.find("wallet_grants", g.ID, "remaining_tokens is %d, but its moves add up to %d", g.Remaining, g.moved)
	}
	if g.expired != g.Expired {
		a.report.find("wallet_grants", g.ID, "expired_tokens is %d, but adjustments took back %d", g.Expired, g.expired)
	}
	if reversed := a.reversed[g.ID]; g.Expired+reversed > g.Amount {
		a.report.find("wallet_grants", g.ID, "%d tokens expired and %d were refunded, more than the %d that were minted",
			g.Expired, reversed, g.Amount)
	}
}

func readGrant(c *cells) (grant ledger.Grant, rowid int64) {
	rowid = c.integer()
	grant.ID = c.text()
	grant.Subject = c.subject()
	grant.Amount = c.tokens(2 * ledger.MaxBalanceTokens)
	grant.Remaining = c.tokens(2 * ledger.MaxBalanceTokens)
	grant.Expired = c.tokens(2 * ledger.MaxBalanceTokens)
	grant.State = ledger.GrantState(c.text())
	grant.ExpiresAt, _ = c.instant()
	grant.CreatedAt, _ = c.instant()
	switch {
	case grant.State != ledger.GrantLive && grant.State != ledger.GrantExpired:
		c.fail("state is %q, neither live nor expired", grant.State)
	case grant.Remaining < 0 || grant.Remaining > grant.Amount:
		c.fail("remaining_tokens is %d of %d", grant.Remaining, grant.Amount)
	case grant.State == ledger.GrantExpired && grant.Remaining != 0:
		c.fail("it is expired with %d tokens left", grant.Remaining)
	}
	return grant, rowid
}

// mintProblem reads the columns of the entry with the grant's id.
func mintProblem(c *cells, grant ledger.Grant) string {
	owner := ledger.Subject{Type: ledger.SubjectType(c.maybeText()), ID: c.maybeText()}
	event := ledger.EventType(c.maybeText())
	metadata := c.maybeText()
	amount, found := c.maybeInteger()
	if !found || owner != grant.Subject || event != ledger.EventMint {
		return "no mint of its wallet has its id"
	}
	if amount != grant.Amount {
		return fmt.Sprintf("amount_tokens is %d, but %d were minted", grant.Amount, amount)
	}
	if expiry := expiryOf(metadata); expiry != formatExpiry(grant.ExpiresAt) {
		return fmt.Sprintf("expires_at is %s, but the mint says %q", formatExpiry(grant.ExpiresAt), expiry)
	}
	return ""
}

// expiryOf reads the expiry from a mint's metadata, which the chain covers.
func expiryOf(metadata string) string {
	var fields map[string]json.RawMessage
	var expiry string
	if json.Unmarshal([]byte(metadata), &fields) != nil || json.Unmarshal(fields["expiresAt"], &expiry) != nil {
		return ""
	}
	return expiry
}

func formatExpiry(at time.Time) string {
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}
