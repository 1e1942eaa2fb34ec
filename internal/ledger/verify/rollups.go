package verify

import "fmt"

const (
	allDaily = `SELECT rowid, id, subject_type, subject_id, day, uses, tokens FROM usage_daily NOT INDEXED ORDER BY rowid`

	allQuarters = `SELECT slot, subject_type, subject_id, uses, tokens FROM usage_quarters`
)

// The slow queries group all uses again; they are only asked when the sums differ.
// 900 is ledger.QuarterSeconds.
const (
	wrongDays = `WITH e AS (
	SELECT subject_type, subject_id, substr(created_at, 1, 10) AS day, COUNT(*) AS uses, -SUM(amount_tokens) AS tokens
	FROM wallet_ledger NOT INDEXED WHERE event_type = 'use' GROUP BY subject_id, subject_type, substr(created_at, 1, 10))
SELECT COALESCE(d.id, e.subject_id || '-' || replace(e.day, '-', '')), COALESCE(d.uses, 0), COALESCE(d.tokens, 0),
	COALESCE(e.uses, 0), COALESCE(e.tokens, 0)
FROM e FULL JOIN usage_daily d ON d.subject_id = e.subject_id AND d.subject_type = e.subject_type AND d.day = e.day
WHERE d.uses IS NOT e.uses OR d.tokens IS NOT e.tokens LIMIT ?`

	wrongQuarters = `WITH e AS (
	SELECT subject_type, subject_id, unixepoch(created_at) / 900 AS slot, COUNT(*) AS uses, -SUM(amount_tokens) AS tokens
	FROM wallet_ledger NOT INDEXED WHERE event_type = 'use' GROUP BY subject_id, subject_type, unixepoch(created_at) / 900)
SELECT COALESCE(q.slot, e.slot) || '/' || COALESCE(q.subject_id, e.subject_id), COALESCE(q.uses, 0), COALESCE(q.tokens, 0),
	COALESCE(e.uses, 0), COALESCE(e.tokens, 0)
FROM e FULL JOIN usage_quarters q ON q.subject_id = e.subject_id AND q.subject_type = e.subject_type AND q.slot = e.slot
WHERE q.uses IS NOT e.uses OR q.tokens IS NOT e.tokens LIMIT ?`
)

// checkDaily compares the roll-up by day with the uses.
func (a *audit) checkDaily() error {
	var seen bucketSums
	err := a.each(func(c *cells) error {
		a.step()
		rowid, id := c.integer(), c.text()
		weight := a.keys.day(c.subject(), c.text())
		a.addBucket(c, &seen, weight, "usage_daily", rowName(id, rowid))
		return nil
	}, allDaily)
	if err != nil || seen == a.seen.daily {
		return err
	}
	return a.locateBuckets("usage_daily", wrongDays)
}

// checkQuarters compares the roll-up by quarter of an hour with the uses.
func (a *audit) checkQuarters() error {
	var seen bucketSums
	err := a.each(func(c *cells) error {
		slot := c.integer()
		subject := c.subject()
		a.addBucket(c, &seen, a.keys.quarter(subject, slot), "usage_quarters", fmt.Sprintf("%d/%s", slot, subject.ID))
		return nil
	}, allQuarters)
	if err != nil || seen == a.seen.quarters {
		return err
	}
	return a.locateBuckets("usage_quarters", wrongQuarters)
}

func (a *audit) addBucket(c *cells, sums *bucketSums, weight uint64, table, name string) {
	uses, tokens := c.integer(), c.integer()
	if uses < 1 {
		c.fail("uses is %d: a row stands for one use or more", uses)
	}
	if c.problem != "" {
		a.report.find(table, name, "%s", c.problem)
	}
	sums.add(weight, uses, tokens)
}

// locateBuckets finds the rows that the sums say are there. Amounts that are far
// out of bounds, which are named already, may keep SQLite from adding up.
func (a *audit) locateBuckets(table, query string) error {
	found := false
	err := a.each(func(c *cells) error {
		name := c.maybeText()
		uses, _ := c.maybeInteger()
		tokens, _ := c.maybeInteger()
		realUses, _ := c.maybeInteger()
		realTokens, _ := c.maybeInteger()
		found = true
		a.report.find(table, name, "it says %d uses and %d tokens, the ledger %d and %d", uses, tokens, realUses, realTokens)
		return nil
	}, query, MaxFindings)
	if a.ctx.Err() != nil {
		return err
	}
	if err != nil || !found {
		a.report.find(table, "(unknown)", "the table does not agree with the uses of the ledger, but the row could not be found (%v): see the other findings", err)
	}
	return nil
}
