package ledger_test

import (
	"time"

	"sokuji/internal/ledger"
)

// keyMaySpend adds up everything a key ever did, where the ledger keeps sums.
func (m *model) keyMaySpend(s ledger.Spender, tokens int64) bool {
	if s.KeyID == "" {
		return true
	}
	tokens += m.keyHolds(s.KeyID)
	total, day, month := m.keySpent(s.KeyID)
	within := func(most, spent int64) bool { return most == 0 || spent+tokens <= most }
	return within(s.LimitTokens, total) && within(s.DailyBudgetTokens, day) && within(s.MonthlyBudgetTokens, month)
}

func (m *model) countUse(key string, tokens int64) {
	if key != "" {
		m.uses = append(m.uses, modelUse{key, m.now, tokens})
	}
}

func (m *model) keyHolds(key string) (sum int64) {
	for _, hold := range m.holds {
		if hold.key == key && hold.state == ledger.HoldOpen {
			sum += hold.amount
		}
	}
	return sum
}

// keySpent is what a key spent ever, today and in this month.
func (m *model) keySpent(key string) (total, day, month int64) {
	for _, use := range m.uses {
		if use.key != key {
			continue
		}
		total += use.tokens
		if use.at.Format(time.DateOnly) == m.now.Format(time.DateOnly) {
			day += use.tokens
		}
		if use.at.Format("2006-01") == m.now.Format("2006-01") {
			month += use.tokens
		}
	}
	return total, day, month
}
