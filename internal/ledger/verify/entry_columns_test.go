package verify_test

import (
	"fmt"
	"testing"

	"sokuji/internal/ledger/verify"
)

// aUse finds an entry in the middle of alice's chain: a use with a key, a usage row
// and metadata.
const aUse = `SELECT id FROM wallet_ledger WHERE subject_id = 'alice0000000001' AND idempotency_key = 'use-1'`

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

// Each column of an entry, in each way that an edit can take.
func TestEveryColumnOfAnEntryIsProtected(t *testing.T) {
	edits := map[string][]string{
		"id":                {`'zzzzzzzzzzzzzzzzzzzz'`, `CAST(id AS BLOB)`, `''`},
		"subject_type":      {`'organization'`, `'User'`, `''`},
		"subject_id":        {`'bob000000000001'`, `'nobody'`, `''`, `CAST(subject_id AS BLOB)`},
		"seq":               {`seq + 1000`, `0`, `-seq`, `'x'`, `seq + 0.5`},
		"amount_tokens":     {`amount_tokens - 1`, `amount_tokens + 1`, `-amount_tokens`, `0`, `amount_tokens + 0.5`, `'x'`, `9223372036854775807`},
		"balance_after":     {`balance_after + 1`, `-1`, `'x'`, `9223372036854775807`},
		"event_type":        {`'adjust'`, `'Use'`, `''`, `'gift'`},
		"reference_type":    {`'ledger'`, `'hold'`, `CAST('' AS BLOB)`},
		"reference_id":      {`'x'`},
		"plan_id":           {`'x'`},
		"external_event_id": {`'x'`},
		"idempotency_key":   {`''`, `'use-2'`},
		"request_hash":      {`''`, `upper(request_hash)`},
		"description":       {`'x'`, `' '`, `CAST(description AS BLOB)`},
		"metadata":          {`NULL`, `''`, `'{"n":2}'`, `'{"n": 1}'`, `'{'`, `CAST(metadata AS BLOB)`, `5`},
		"created_at": {
			`'2026-11-24 08:00:00.001Z'`, `'2026-11-24T08:00:00.000Z'`, `'2026-11-24 08:00:00Z'`, `'2026-11-24 08:00:00.0000Z'`,
			`'2026-11-24 08:00:00.000z'`, `' 2026-11-24 08:00:00.000Z'`, `'2026-11-24 8:00:00.000Z'`, `'2026-13-24 08:00:00.000Z'`, `''`,
		},
		"prev_hash": {`''`, `hash`, `upper(prev_hash)`, `'x'`, `substr(prev_hash, 2)`},
		"hash":      {`prev_hash`, `upper(hash)`, `hash || ' '`, `''`, `'` + zeros + `'`, `CAST(hash AS BLOB)`},
	}
	const columnsOfAnEntry = 18
	if len(edits) != columnsOfAnEntry {
		t.Fatalf("%d columns, want %d", len(edits), columnsOfAnEntry)
	}
	for column, values := range edits {
		for _, value := range values {
			t.Run(column+"="+value, func(t *testing.T) {
				b := open(t)
				b.exec(`DROP INDEX idx_wallet_ledger_subject_seq`)
				id := b.pick(aUse)
				row := b.pick(`SELECT rowid FROM wallet_ledger WHERE id = ?`, id)
				b.exec(fmt.Sprintf(`UPDATE wallet_ledger SET %s = %s WHERE id = ?`, column, value), id)
				id = b.pick(`SELECT CASE WHEN typeof(id) = 'text' AND id != '' THEN id ELSE 'rowid ' || rowid END FROM wallet_ledger WHERE rowid = ?`, row)
				report := b.verify(verify.Options{})
				if len(report.Findings) == 0 || report.Findings[0].Table != "wallet_ledger" || report.Findings[0].RowID != id {
					t.Errorf("the first finding is not about %s:\n%s", id, show(report))
				}
			})
		}
	}
}

// The rows behind a bad one are not blamed for it.
func TestOneBadRowIsOneBadRow(t *testing.T) {
	for _, change := range []string{
		`description = 'x'`, `amount_tokens = amount_tokens - 1`, `hash = prev_hash`, `prev_hash = hash`, `balance_after = 5`,
		`created_at = 'x'`, `metadata = '{'`, `request_hash = upper(request_hash)`,
	} {
		b := open(t)
		id := b.pick(aUse)
		b.exec(`UPDATE wallet_ledger SET `+change+` WHERE id = ?`, id)
		report := b.verify(verify.Options{})
		if report.Sound() {
			t.Errorf("%s: nothing is found", change)
		}
		for _, finding := range report.Findings {
			if finding.Table == "wallet_ledger" && finding.RowID != id {
				t.Errorf("%s: %s", change, finding)
			}
		}
	}
}

func TestTwoBadRowsAreBothNamed(t *testing.T) {
	b := open(t)
	first, second := b.pick(firstOf), b.pick(lastOf)
	b.exec(`UPDATE wallet_ledger SET description = 'x' WHERE id IN (?, ?)`, first, second)
	report := b.verify(verify.Options{})
	if len(report.Findings) != 2 || report.Findings[0].RowID != first || report.Findings[1].RowID != second {
		t.Fatal(show(report))
	}
}
