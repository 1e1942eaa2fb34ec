package memorystore

import (
	"cmp"
	"fmt"
	"slices"

	"sokuji/internal/ledger"
)

// Audit returns what is wrong with a set of books, or nil: what AuditContents
// looks at, and that ids grow along each chain, as they do unless the writer was
// started again with a clock that is behind.
func Audit(books Books) error {
	if err := AuditContents(books); err != nil {
		return err
	}
	if err := auditSpendingDays(books); err != nil {
		return err
	}
	for _, chain := range chainsOf(books) {
		for i, entry := range chain[1:] {
			if chain[i].ID >= entry.ID {
				return fmt.Errorf("entry %s does not sort after the one before it", entry.ID)
			}
		}
	}
	return nil
}

// chainsOf is the entries of each wallet, in order.
func chainsOf(books Books) map[ledger.Subject][]ledger.Entry {
	chains := make(map[ledger.Subject][]ledger.Entry)
	for _, entry := range books.Entries {
		chains[entry.Subject] = append(chains[entry.Subject], entry)
	}
	for _, chain := range chains {
		slices.SortFunc(chain, func(a, b ledger.Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	}
	return chains
}

// AuditContents looks at chains, balances, refunds, holds, grants, usage rows,
// roll-ups and finished requests. It shares no code with the rules.
func AuditContents(books Books) error {
	chains := chainsOf(books)
	for subject, wallet := range books.Wallets {
		if err := auditWallet(wallet, chains[subject]); err != nil {
			return fmt.Errorf("wallet of %s: %w", subject.ID, err)
		}
		delete(chains, subject)
	}
	for subject := range chains {
		return fmt.Errorf("entries of %s have no wallet", subject.ID)
	}
	if err := auditRefunds(books.Entries); err != nil {
		return err
	}
	if err := auditReserved(books); err != nil {
		return err
	}
	if err := auditSpending(books); err != nil {
		return err
	}
	if err := auditRequests(books); err != nil {
		return err
	}
	return auditUsage(books)
}

func auditWallet(wallet ledger.Wallet, entries []ledger.Entry) error {
	var balance int64
	var head ledger.Hash
	for i, entry := range entries {
		balance += entry.Amount
		switch {
		case entry.Seq != int64(i)+1:
			return fmt.Errorf("entry %s has seq %d, want %d", entry.ID, entry.Seq, i+1)
		case entry.BalanceAfter != balance:
			return fmt.Errorf("entry %s says %d after it, the sum is %d", entry.ID, entry.BalanceAfter, balance)
		case entry.PrevHash != head:
			return fmt.Errorf("entry %s does not follow the one before it", entry.ID)
		case entry.ComputeHash() != entry.Hash:
			return fmt.Errorf("entry %s has another hash than its fields", entry.ID)
		}
		head = entry.Hash
	}
	if wallet.Balance != balance || wallet.Seq != int64(len(entries)) || wallet.Head != head {
		return fmt.Errorf("it holds %d at seq %d, its entries say %d at seq %d", wallet.Balance, wallet.Seq, balance, len(entries))
	}
	return nil
}

func auditRefunds(entries map[string]ledger.Entry) error {
	left := make(map[string]int64)
	for id, entry := range entries {
		left[id] = max(entry.Amount, -entry.Amount)
	}
	for _, entry := range entries {
		if entry.EventType == ledger.EventRefund {
			left[entry.ReferenceID] -= max(entry.Amount, -entry.Amount)
		}
	}
	for id, amount := range left {
		if amount < 0 {
			return fmt.Errorf("entry %s was refunded by %d too much", id, -amount)
		}
	}
	return nil
}
