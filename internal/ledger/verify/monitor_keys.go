package verify

import (
	"slices"

	"sokuji/internal/ledger"
)

const (
	keyColumns = `key_id, tokens, held_tokens, day, day_tokens, month, month_tokens`
	keyOf      = `SELECT ` + keyColumns + ` FROM ` + spendingTable + ` WHERE key_id = ?`
	nextKeys   = `SELECT ` + keyColumns + ` FROM ` + spendingTable + ` WHERE key_id > ? ORDER BY key_id LIMIT ?`

	openHoldKeys = `SELECT api_key, SUM(amount_tokens) FROM wallet_holds INDEXED BY idx_wallet_holds_due
WHERE state = 'open' AND api_key != '' GROUP BY api_key`
)

// checkKeys holds keys against their open holds: those that have some, and the next
// ones in turn. What they spent is not summed up again here.
func (r *monitorRun) checkKeys() error {
	held := make(map[string]int64)
	var holders []string
	err := r.each(func(c *cells) error {
		key, tokens := c.text(), c.integer()
		held[key] = tokens
		holders = append(holders, key)
		return nil // what cannot be read is found with the wallets
	}, openHoldKeys)
	if err != nil {
		return err
	}
	slices.Sort(holders)
	for _, key := range holders {
		found := false
		err := r.each(func(c *cells) error {
			found = true
			r.checkKey(readSpending(c), c.problem, held)
			return nil
		}, keyOf, key)
		if err != nil {
			return err
		}
		if !found {
			r.report.find(spendingTable, key, "open holds name this key, and there is no row of what it spent")
		}
	}
	return r.checkNextKeys(held)
}

// checkNextKeys stays where something is found.
func (r *monitorRun) checkNextKeys(held map[string]int64) error {
	last, rows, isSound := r.monitor.keyAt, 0, true
	err := r.each(func(c *cells) error {
		kept := readSpending(c)
		isSound = r.checkKey(kept, c.problem, held) && isSound
		last = kept.KeyID
		rows++
		return nil
	}, nextKeys, r.monitor.keyAt, monitorKeys)
	switch {
	case err != nil || !isSound:
	case rows < monitorKeys:
		r.monitor.keyAt = ""
	default:
		r.monitor.keyAt = last
	}
	return err
}

func (r *monitorRun) checkKey(kept ledger.KeySpending, problem string, held map[string]int64) (isSound bool) {
	switch {
	case problem != "":
		r.report.find(spendingTable, kept.KeyID, "%s", problem)
	case kept.HeldTokens != held[kept.KeyID]:
		r.report.find(spendingTable, kept.KeyID, "held_tokens is %d, its open holds reserve %d", kept.HeldTokens, held[kept.KeyID])
	case kept.DayTokens > kept.MonthTokens || kept.MonthTokens > kept.Tokens:
		r.report.find(spendingTable, kept.KeyID, "it spent %d tokens on a day, %d in that month and %d ever",
			kept.DayTokens, kept.MonthTokens, kept.Tokens)
	default:
		return true
	}
	return false
}
