package ledger

// Result is what became of one use of a UseBatch.
type Result struct {
	Receipt Receipt
	Err     error
}

// Receipt is the answer to an operation whose effect is on disk.
type Receipt struct {
	Entry  *Entry    // nil for Freeze, Unfreeze, Hold, Extend and Release
	Usage  *UsageRow // set for Use and Settle
	Hold   *HoldRow  // set for Hold, Extend, Settle and Release: the hold right after it
	Wallet Standing  // the wallet right after the operation
	// Refundable is what is left of the original after a Refund, in tokens.
	Refundable int64
	// Replayed says that this is the first result of a repeated request, and that
	// nothing was done now.
	Replayed bool
}

// Standing is the part of a wallet that an answer shows.
type Standing struct {
	Balance int64 `json:"balance"`
	Held    int64 `json:"held"`
	Frozen  bool  `json:"frozen"`
}

func standing(w Wallet) Standing {
	return Standing{Balance: w.Balance, Held: w.Held, Frozen: w.Frozen}
}

func receiptOf(outcome Outcome) Receipt {
	return Receipt{
		Entry:      outcome.Entry,
		Usage:      outcome.Usage,
		Hold:       outcome.Hold,
		Wallet:     standing(outcome.Wallet),
		Refundable: outcome.Refundable,
	}
}
