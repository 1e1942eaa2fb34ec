package ledger

import "time"

// FrozenNegativeBalance is the reason of a freeze that the ledger set itself,
// the only kind that a later credit lifts.
const FrozenNegativeBalance = "negative_balance"

// Wallet is the whole state of one wallet. It is a value: operations return a
// new one and never change the one they were given.
type Wallet struct {
	Subject      Subject
	Balance      int64 // posted tokens, may be negative
	Held         int64 // tokens reserved by open holds, never negative
	Expiring     int64 // tokens of live grants, 0..max(0, Balance)
	Frozen       bool
	FrozenReason string // empty unless Frozen
	Seq          int64  // number of entries so far; the newest entry carries it
	Head         Hash   // hash of the newest entry, zero for an empty wallet
	UpdatedAt    time.Time
}

// Available is what may be spent: the posted balance without what is held.
func (w Wallet) Available() int64 {
	return w.Balance - w.Held
}

// credited returns the wallet after a credit made its balance whole again: a
// freeze that a negative balance caused is over, every other freeze stays.
func (w Wallet) credited() Wallet {
	if w.Frozen && w.FrozenReason == FrozenNegativeBalance && w.Balance >= 0 {
		w.Frozen, w.FrozenReason = false, ""
	}
	return w
}
