package verify

import (
	"slices"

	"sokuji/internal/ledger"
)

const spendingTable = "api_key_spending"

// keySums are what a key's row says, and what its holds and uses add up to.
type keySums struct {
	kept    ledger.KeySpending
	isKept  bool
	counted ledger.KeySpending
}

// readSpending reads what the keys are said to have spent.
func (a *audit) readSpending() error {
	a.spent = make(map[string]*keySums)
	return a.each(func(c *cells) error {
		kept := readSpending(c)
		if c.problem != "" {
			a.report.find(spendingTable, kept.KeyID, "%s", c.problem)
		}
		a.spent[kept.KeyID] = &keySums{kept: kept, isKept: true}
		return nil
	}, `SELECT `+keyColumns+` FROM `+spendingTable)
}

func readSpending(c *cells) ledger.KeySpending {
	return ledger.KeySpending{
		KeyID: c.text(), Tokens: c.integer(), HeldTokens: c.integer(),
		Day: c.text(), DayTokens: c.integer(), Month: c.text(), MonthTokens: c.integer(),
	}
}

func (a *audit) sumsOf(key string) *keySums {
	sums, known := a.spent[key]
	if !known {
		sums = new(keySums)
		a.spent[key] = sums
	}
	return sums
}

// countHeld adds an open hold to its key.
func (a *audit) countHeld(key string, tokens int64) {
	if key != "" {
		a.sumsOf(key).counted.HeldTokens += tokens
	}
}

// countSpent adds a use to its key. The day and the month are the leading part of
// its time.
func (a *audit) countSpent(key string, tokens int64, created string) {
	if key == "" {
		return
	}
	sums := a.sumsOf(key)
	sums.counted.Tokens += tokens
	if day := sums.kept.Day; day != "" && len(created) >= len(day) && created[:len(day)] == day {
		sums.counted.DayTokens += tokens
	}
	if month := sums.kept.Month; month != "" && len(created) >= len(month) && created[:len(month)] == month {
		sums.counted.MonthTokens += tokens
	}
}

// checkSpending holds the sums against each other. Uses may be archived, and those
// from before the clock was set back count for the later day: then a row says
// more than its uses, and never less.
func (a *audit) checkSpending() error {
	keys := make([]string, 0, len(a.spent))
	for key := range a.spent {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		sums := a.spent[key]
		kept, counted := sums.kept, sums.counted
		switch {
		case !sums.isKept:
			a.report.find(spendingTable, key, "uses or holds name this key, and there is no row of what it spent")
		case kept.HeldTokens != counted.HeldTokens:
			a.report.find(spendingTable, key, "held_tokens is %d, its open holds reserve %d", kept.HeldTokens, counted.HeldTokens)
		case kept.Tokens < counted.Tokens || (a.cutoff == "" && kept.Tokens != counted.Tokens):
			a.report.find(spendingTable, key, "tokens is %d, its uses charged %d", kept.Tokens, counted.Tokens)
		case kept.DayTokens < counted.DayTokens || kept.DayTokens > kept.MonthTokens:
			a.report.find(spendingTable, key, "day_tokens is %d, the uses of %s charged %d, those of %s %d",
				kept.DayTokens, kept.Day, counted.DayTokens, kept.Month, kept.MonthTokens)
		case kept.MonthTokens < counted.MonthTokens || kept.MonthTokens > kept.Tokens:
			a.report.find(spendingTable, key, "month_tokens is %d, the uses of %s charged %d, those ever %d",
				kept.MonthTokens, kept.Month, counted.MonthTokens, kept.Tokens)
		}
	}
	return nil
}
