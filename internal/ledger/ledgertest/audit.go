package ledgertest

import (
	"fmt"
	"slices"
	"time"

	"sokuji/internal/ledger"
)

// Audit returns what is wrong with a set of books, or nil: chains, balances,
// refunds, usage rows and roll-ups. It shares no code with the rules.
func Audit(books Books) error {
	chains := make(map[ledger.Subject][]ledger.Entry)
	for _, entry := range books.Entries {
		chains[entry.Subject] = append(chains[entry.Subject], entry)
	}
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
	return auditUsage(books)
}

func auditWallet(wallet ledger.Wallet, entries []ledger.Entry) error {
	slices.SortFunc(entries, func(a, b ledger.Entry) int { return int(a.Seq - b.Seq) })
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
		case i > 0 && entries[i-1].ID >= entry.ID:
			return fmt.Errorf("entry %s does not sort after the one before it", entry.ID)
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

func auditUsage(books Books) error {
	uses := 0
	tokens := make(map[string]int64)
	for id, entry := range books.Entries {
		if entry.EventType != ledger.EventUse {
			continue
		}
		uses++
		usage, ok := books.Usage[id]
		if !ok || usage.ChargedTokens != -entry.Amount || usage.Subject != entry.Subject {
			return fmt.Errorf("use %s has no usage row that fits", id)
		}
		tokens[entry.Subject.ID+" "+entry.CreatedAt.Format(time.DateOnly)] -= entry.Amount
	}
	if uses != len(books.Usage) {
		return fmt.Errorf("%d usage rows for %d uses", len(books.Usage), uses)
	}
	for key, sum := range tokens {
		if books.Daily[key].Tokens != sum {
			return fmt.Errorf("the roll-up of %s says %d, its uses %d", key, books.Daily[key].Tokens, sum)
		}
	}
	if len(tokens) != len(books.Daily) {
		return fmt.Errorf("%d roll-ups for %d days with uses", len(books.Daily), len(tokens))
	}
	return nil
}
