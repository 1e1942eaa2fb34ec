package ledger

import (
	"fmt"
	"time"
)

// Spender is the API key that spends, and the most that it may. Its zero value is
// a caller without a key, whom only the wallet bounds.
type Spender struct {
	KeyID string
	// What the key may spend, in tokens; 0: no bound of its own.
	LimitTokens         int64 // in its whole life
	DailyBudgetTokens   int64 // in a UTC day
	MonthlyBudgetTokens int64 // in a UTC month
}

// KeySpending is what one API key has spent, from whichever wallet, and what its
// open holds reserve. Refunds give nothing of it back: a limit bounds what goes
// through the key. The days and months are UTC's and never go back, whatever the
// clock does.
type KeySpending struct {
	KeyID       string
	Tokens      int64 // ever
	HeldTokens  int64
	Day         string // YYYY-MM-DD of DayTokens
	DayTokens   int64
	Month       string // YYYY-MM of MonthTokens
	MonthTokens int64
}

// At is the spending as a moment sees it: a new day or month begins at 0.
func (k KeySpending) At(now time.Time) KeySpending {
	if day := now.UTC().Format(time.DateOnly); day > k.Day {
		k.Day, k.DayTokens = day, 0
	}
	if month := now.UTC().Format("2006-01"); month > k.Month {
		k.Month, k.MonthTokens = month, 0
	}
	return k
}

// spend counts what was charged.
func (k KeySpending) spend(tokens int64) KeySpending {
	k.Tokens += tokens
	k.DayTokens += tokens
	k.MonthTokens += tokens
	return k
}

// allow refuses what would take a key past one of its bounds. What its holds
// reserve counts as spent, so that calls side by side cannot pass a bound
// together.
func (s Spender) allow(k KeySpending, needed int64) error {
	for _, bound := range []struct {
		most, spent int64
		period      string
	}{
		{s.LimitTokens, k.Tokens, "in all"},
		{s.DailyBudgetTokens, k.DayTokens, "on this day (UTC)"},
		{s.MonthlyBudgetTokens, k.MonthTokens, "in this month (UTC)"},
	} {
		if left := bound.most - bound.spent - k.HeldTokens; bound.most > 0 && needed > left {
			return &Error{
				Code: CodeSpendLimitReached,
				Message: fmt.Sprintf("%d tokens are needed, and this API key may spend %d more of its %d tokens %s: raise its limit, or use another key.",
					needed, max(0, left), bound.most, bound.period),
			}
		}
	}
	return nil
}

func (s Spender) validate() error {
	return firstError(
		validText("apiKey", s.KeyID, MaxReferenceBytes),
		validCount("spendLimitTokens", s.LimitTokens),
		validCount("dailyBudgetTokens", s.DailyBudgetTokens),
		validCount("monthlyBudgetTokens", s.MonthlyBudgetTokens),
	)
}

// spendingKey is the key that an operation counts for: the one that opened the
// hold, or else the one that asks.
func spendingKey(op Operation, hold *HoldRow) string {
	if hold != nil && hold.KeyID != "" {
		return hold.KeyID
	}
	return op.request().Spender.KeyID
}

// countForKey moves the spending of a key along with what an operation took and
// reserved, and refuses what the key may not.
func (o *Outcome) countForKey(op Operation, facts Facts) error {
	if facts.Spending == nil {
		return nil
	}
	spending := facts.Spending.At(facts.Now)
	reserved := int64(0)
	if o.Hold != nil {
		o.Hold.KeyID = spending.KeyID
		reserved = o.Hold.reserved() - reservedBy(facts.Hold, spending.KeyID)
	}
	if err := withinKey(op, spending, reserved, facts); err != nil {
		return err
	}
	spending.HeldTokens += reserved
	if o.Usage != nil {
		o.Usage.APIKey = spending.KeyID
		spending = spending.spend(o.Usage.ChargedTokens)
	}
	o.Spending = &spending
	return nil
}

// reservedBy is what a hold reserves for a key already.
func reservedBy(hold *HoldRow, keyID string) int64 {
	if hold == nil || hold.KeyID != keyID {
		return 0
	}
	return hold.reserved()
}

// withinKey refuses what the bounds of a key do not allow, of what an operation
// takes and newly reserves.
func withinKey(op Operation, spending KeySpending, reserved int64, facts Facts) error {
	switch op := op.(type) {
	case Use:
		return op.Spender.allow(spending, op.Amount)
	case Hold, Extend:
		return op.request().Spender.allow(spending, reserved)
	case Settle:
		return op.withinKey(spending, facts)
	}
	return nil
}

// mayExtend keeps a key from reserving on another key's account.
func (h HoldRow) mayExtend(s Spender) bool {
	return s.KeyID == "" || h.KeyID == "" || h.KeyID == s.KeyID
}
