package verify

import (
	"fmt"
	"slices"

	"sokuji/internal/ledger"
)

// walletColumns are those of wallets, in the order in which readWallet takes them.
const walletColumns = `rowid, id, subject_type, subject_id, balance_tokens, held_tokens, expiring_tokens,
frozen, frozen_reason, seq, head_hash, updated_at`

const allWallets = `SELECT ` + walletColumns + ` FROM wallets NOT INDEXED ORDER BY rowid`

const firstEntryOf = `SELECT id FROM wallet_ledger WHERE subject_id = ? AND subject_type = ? ORDER BY seq LIMIT 1`

type walletRow struct {
	ledger.Wallet
	id    string
	rowid int64
}

func (w walletRow) name() string { return rowName(w.id, w.rowid) }

// readWallet leaves out what depends on other tables.
func readWallet(c *cells) walletRow {
	var w walletRow
	w.rowid = c.integer()
	w.id = c.text()
	w.Subject = c.subject()
	w.Balance = c.tokens(ledger.MaxBalanceTokens)
	w.Held = c.integer()
	w.Expiring = c.integer()
	w.Frozen = c.flag()
	w.FrozenReason = c.text()
	w.Seq = c.integer()
	w.Head = c.hash(true)
	w.UpdatedAt, _ = c.instant()
	if w.id != w.Subject.ID {
		c.fail("its id is not its subject_id %q", w.Subject.ID)
	}
	if w.Frozen != (w.FrozenReason != "") {
		c.fail("frozen is %v with frozen_reason %q: a wallet is frozen for a reason, or neither", w.Frozen, w.FrozenReason)
	}
	return w
}

// checkWallets holds each wallet against its entries, holds and grants, and looks
// for entries without a wallet.
func (a *audit) checkWallets() error {
	err := a.each(func(c *cells) error {
		a.step()
		a.report.Wallets++
		row := readWallet(c)
		if c.problem != "" {
			a.report.find("wallets", row.name(), "%s", c.problem)
		}
		wallet := a.chainOf(row.Subject)
		wallet.hasWallet = true
		a.compareWallet(row, wallet)
		return nil
	}, allWallets)
	if err != nil {
		return err
	}
	a.checkMarks()
	return a.findOrphans()
}

func (a *audit) compareWallet(row walletRow, wallet *chain) {
	problems := reservedProblems(row.Wallet, a.held[row.Subject], a.expiring[row.Subject])
	if problem := a.freezeProblem(row.Wallet); problem != "" {
		problems = append(problems, problem)
	}
	if row.Seq != wallet.seq {
		problems = append(problems, fmt.Sprintf("seq is %d, but it has %d entries", row.Seq, wallet.seq))
	}
	if !wallet.blind && row.Balance != wallet.balance {
		problems = append(problems, fmt.Sprintf("balance_tokens is %d, but its entries add up to %d", row.Balance, wallet.balance))
	}
	if !wallet.blind && row.Head != wallet.head {
		problems = append(problems, "head_hash is not the hash of its newest entry")
	}
	for _, problem := range problems {
		a.report.find("wallets", row.name(), "%s", problem)
	}
}

// reservedProblems holds what a wallet says of its holds and grants against them.
func reservedProblems(wallet ledger.Wallet, held, expiring int64) (problems []string) {
	if wallet.Held != held {
		problems = append(problems, fmt.Sprintf("held_tokens is %d, but its open holds add up to %d", wallet.Held, held))
	}
	if wallet.Expiring != expiring {
		problems = append(problems, fmt.Sprintf("expiring_tokens is %d, but its live grants have %d left", wallet.Expiring, expiring))
	}
	if wallet.Expiring > max(0, wallet.Balance) {
		problems = append(problems, fmt.Sprintf("expiring_tokens is %d of a balance of %d", wallet.Expiring, wallet.Balance))
	}
	return problems
}

func (a *audit) findOrphans() error {
	var orphans []ledger.Subject
	for subject, wallet := range a.wallets {
		if !wallet.hasWallet && wallet.seq > 0 {
			orphans = append(orphans, subject)
		}
	}
	slices.SortFunc(orphans, compareSubjects)
	for _, subject := range orphans {
		if err := a.findOrphan(subject); err != nil {
			return err
		}
	}
	return nil
}

// findOrphan names the first entry of a chain without a wallet.
func (a *audit) findOrphan(subject ledger.Subject) error {
	name := "of " + string(subject.Type) + " " + subject.ID
	err := a.each(func(c *cells) error {
		name = c.text()
		return nil
	}, firstEntryOf, subject.ID, string(subject.Type))
	a.report.find("wallet_ledger", name, "there is no wallet for the entries of %s %q", subject.Type, subject.ID)
	return err
}
