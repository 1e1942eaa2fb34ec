package memorystore

import (
	"fmt"
	"time"

	"sokuji/internal/ledger"
)

// auditSpending checks what the keys have spent against the usage rows and the
// open holds. A clock that was set back counts its uses for the day and the month
// that had begun.
func auditSpending(books Books) error {
	return compareSpending(books, func(kept, uses ledger.KeySpending) bool {
		isMore := kept.DayTokens >= uses.DayTokens && kept.MonthTokens >= uses.MonthTokens
		kept.DayTokens, kept.MonthTokens = uses.DayTokens, uses.MonthTokens
		return isMore && kept == uses
	})
}

// auditSpendingDays checks the days and the months too.
func auditSpendingDays(books Books) error {
	return compareSpending(books, func(kept, uses ledger.KeySpending) bool { return kept == uses })
}

func compareSpending(books Books, agree func(kept, uses ledger.KeySpending) bool) error {
	want := make(map[string]ledger.KeySpending)
	for id, usage := range books.Usage {
		if usage.APIKey == "" {
			continue
		}
		key, known := books.Spending[usage.APIKey]
		if !known {
			return fmt.Errorf("use %s counts for key %s, whose spending is not kept", id, usage.APIKey)
		}
		sums := want[usage.APIKey]
		sums.Tokens += usage.ChargedTokens
		if usage.CreatedAt.Format(time.DateOnly) == key.Day {
			sums.DayTokens += usage.ChargedTokens
		}
		if usage.CreatedAt.Format("2006-01") == key.Month {
			sums.MonthTokens += usage.ChargedTokens
		}
		want[usage.APIKey] = sums
	}
	for _, hold := range books.Holds {
		if hold.KeyID != "" && hold.State == ledger.HoldOpen {
			sums := want[hold.KeyID]
			sums.HeldTokens += hold.Amount
			want[hold.KeyID] = sums
		}
	}
	for id, key := range books.Spending {
		sums := want[id]
		sums.KeyID, sums.Day, sums.Month = id, key.Day, key.Month
		if !agree(key, sums) {
			return fmt.Errorf("key %s has spent %+v, its uses and holds say %+v", id, key, sums)
		}
	}
	return nil
}
