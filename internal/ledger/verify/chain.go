package verify

import (
	"fmt"

	"sokuji/internal/ledger"
)

// chain is how far the entries of one wallet were followed. There is one for every
// wallet in memory, so it is small.
type chain struct {
	seq     int64
	balance int64
	head    ledger.Hash
	mark    *mark // what a checkpoint says of the wallet, nil without one
	// doubtful: the newest row is bad, so the next one is only checked by itself.
	doubtful bool
	// blind: the newest row cannot be read, so nothing is known of balance and head.
	blind bool
	// hasWallet: the wallet's own row was seen.
	hasWallet bool
}

// follow takes the next row of the wallet and returns what is wrong with it. It
// goes on from there in a way that does not blame the rows behind a bad one.
func (c *chain) follow(e ledger.Entry) string {
	follows, continues := e.Seq == c.seq+1, e.PrevHash == c.head
	if e.ComputeHash() != e.Hash {
		if follows || continues || c.doubtful {
			c.advance(e, c.seq+1)
			c.doubtful = true
		}
		return "its hash is not that of its columns: the row was changed after it was written"
	}
	if e.Seq <= c.seq {
		return fmt.Sprintf("it has seq %d, but stands behind seq %d of its wallet: the row was put there, or moved", e.Seq, c.seq)
	}
	problem := ""
	switch {
	case !follows:
		problem = fmt.Sprintf("it has seq %d where %d should follow: an entry before it is missing, or moved", e.Seq, c.seq+1)
	case c.doubtful:
	case !continues:
		problem = "its prev_hash is not the hash of the entry before it: one of the two was written anew"
	case e.BalanceAfter != c.balance+e.Amount:
		problem = fmt.Sprintf("balance_after is %d, but %d and %d make %d", e.BalanceAfter, c.balance, e.Amount, c.balance+e.Amount)
	}
	c.advance(e, e.Seq)
	c.doubtful = false
	return problem
}

func (c *chain) advance(e ledger.Entry, seq int64) {
	c.seq, c.balance, c.head, c.blind = seq, e.BalanceAfter, e.Hash, false
}

// pass goes on behind a row that cannot be read.
func (c *chain) pass() {
	c.seq++
	c.doubtful, c.blind = true, true
}
