package ledger

// Spender is the API key that spends, and the most that it may. Its zero value is
// a caller without a key, whom only the wallet bounds.
type Spender struct {
	KeyID string
	// What the key may spend, in tokens; 0: no bound of its own.
	LimitTokens         int64 // in its whole life
	DailyBudgetTokens   int64 // in a UTC day
	MonthlyBudgetTokens int64 // in a UTC month
}
