package verify

import (
	"fmt"
	"slices"

	"sokuji/internal/ledger"
)

const (
	walletOf = `SELECT ` + walletColumns + ` FROM wallets WHERE id = ? AND subject_type = ?`

	nextWallets = `SELECT ` + walletColumns + `,
(SELECT SUM(g.remaining_tokens) FROM wallet_grants g
	WHERE g.subject_id = w.subject_id AND g.subject_type = w.subject_type AND g.state = 'live'),
(SELECT l.seq || ' ' || l.balance_after || ' ' || l.hash FROM wallet_ledger l
	WHERE l.subject_id = w.subject_id AND l.subject_type = w.subject_type ORDER BY l.seq DESC LIMIT 1)
FROM wallets w NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT ?`

	newestEntryOf = `SELECT seq, balance_after, hash FROM wallet_ledger
WHERE subject_id = ? AND subject_type = ? ORDER BY seq DESC LIMIT 1`

	liveGrantsOf = `SELECT SUM(remaining_tokens) FROM wallet_grants WHERE subject_id = ? AND subject_type = ? AND state = 'live'`

	// Open holds are few; without the index all holds there ever were would be read.
	openHoldSums = `SELECT subject_type, subject_id, SUM(amount_tokens) FROM wallet_holds INDEXED BY idx_wallet_holds_due
WHERE state = 'open' GROUP BY subject_id, subject_type`
)

// openHolds sums the open holds by wallet.
func (r *monitorRun) openHolds() (map[ledger.Subject]int64, error) {
	held := make(map[ledger.Subject]int64)
	err := r.each(func(c *cells) error {
		subject := c.subject()
		held[subject] = c.integer()
		if c.problem != "" {
			r.report.find("wallet_holds", "of "+subject.ID, "%s", c.problem)
		}
		return nil
	}, openHoldSums)
	return held, err
}

// checkTouched holds a wallet with new entries against the newest of them all.
func (r *monitorRun) checkTouched(subject ledger.Subject, held map[ledger.Subject]int64) error {
	wallet, found, err := r.wallet(subject)
	if err != nil {
		return err
	}
	if !found {
		r.report.find("wallets", subject.ID, "there is no wallet for the entries of %s %q", subject.Type, subject.ID)
		r.stop(r.touched[subject])
		return nil
	}
	var newest link
	err = r.each(func(c *cells) error {
		newest = readLink(c)
		return nil
	}, newestEntryOf, subject.ID, string(subject.Type))
	if err != nil {
		return err
	}
	if wallet.Seq != newest.seq || wallet.Balance != newest.balance || wallet.Head != newest.hash {
		r.report.find("wallets", wallet.name(), "it says %d tokens at seq %d, its newest entry %d at seq %d, or head_hash is not that entry's",
			wallet.Balance, wallet.Seq, newest.balance, newest.seq)
		r.stop(r.touched[subject])
	}
	return r.checkReserved(wallet, held)
}

// checkHolders looks at every wallet with open holds.
func (r *monitorRun) checkHolders(held map[ledger.Subject]int64) error {
	holders := make([]ledger.Subject, 0, len(held))
	for subject := range held {
		holders = append(holders, subject)
	}
	slices.SortFunc(holders, compareSubjects)
	for _, subject := range holders {
		wallet, found, err := r.wallet(subject)
		if err != nil {
			return err
		}
		if !found {
			r.report.find("wallets", subject.ID, "there is no wallet for the open holds of %s %q", subject.Type, subject.ID)
			continue
		}
		if err := r.checkReserved(wallet, held); err != nil {
			return err
		}
	}
	return nil
}

// wallet reads one wallet.
func (r *monitorRun) wallet(subject ledger.Subject) (wallet walletRow, found bool, err error) {
	err = r.each(func(c *cells) error {
		wallet, found = readWallet(c), true
		r.nameUnreadable(c, wallet)
		return nil
	}, walletOf, subject.ID, string(subject.Type))
	return wallet, found, err
}

func (r *monitorRun) nameUnreadable(c *cells, wallet walletRow) {
	if c.problem != "" {
		r.report.find("wallets", wallet.name(), "%s", c.problem)
	}
}

func (r *monitorRun) checkReserved(wallet walletRow, held map[ledger.Subject]int64) error {
	expiring, err := r.number(liveGrantsOf, wallet.Subject.ID, string(wallet.Subject.Type))
	if err != nil {
		return fmt.Errorf("sum the grants of wallet %s: %w", wallet.name(), err)
	}
	r.compareReserved(wallet, held[wallet.Subject], expiring)
	return nil
}

func (r *monitorRun) compareReserved(wallet walletRow, held, expiring int64) (isSound bool) {
	problems := reservedProblems(wallet.Wallet, held, expiring)
	for _, problem := range problems {
		r.report.find("wallets", wallet.name(), "%s", problem)
	}
	return len(problems) == 0
}

// compareNewest holds a wallet against its newest entry, written as one text that
// is empty when there is none.
func (r *monitorRun) compareNewest(wallet walletRow, newest string) bool {
	says := fmt.Sprintf("%d %d %s", wallet.Seq, wallet.Balance, wallet.Head)
	if newest == says || (newest == "" && wallet.Seq == 0 && wallet.Balance == 0 && wallet.Head == ledger.Hash{}) {
		return true
	}
	r.report.find("wallets", wallet.name(), "balance_tokens, seq or head_hash is not that of its newest entry")
	return false
}

// checkTurn takes the next wallets in turn, because one that was changed need not
// have a new entry, a hold or a grant to be found by. The turn stays
// where something is found.
func (r *monitorRun) checkTurn(held map[ledger.Subject]int64) error {
	last, rows, isSound := r.monitor.walletAt, 0, true
	err := r.each(func(c *cells) error {
		wallet := readWallet(c)
		r.nameUnreadable(c, wallet)
		expiring, _ := c.maybeInteger()
		isSound = r.compareNewest(wallet, c.maybeText()) && isSound
		last = wallet.rowid
		rows++
		if c.problem != "" || !r.compareReserved(wallet, held[wallet.Subject], expiring) {
			isSound = false
		}
		return nil
	}, nextWallets, r.monitor.walletAt, monitorWallets)
	switch {
	case err != nil || !isSound:
	case rows < monitorWallets:
		r.monitor.walletAt = 0
	default:
		r.monitor.walletAt = last
	}
	return err
}
