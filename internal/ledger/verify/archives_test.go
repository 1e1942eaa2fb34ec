package verify_test

import (
	"testing"
	"time"

	"sokuji/internal/ledger/verify"
)

const (
	earlier = "2026-11-24 12:00:00.000Z"
	cutoff  = "2026-11-25 00:00:00.000Z"
	isOld   = `created_at < '` + cutoff + `'`

	// Files that the server wrote before these cutoffs, one after the other.
	addArchive = `INSERT INTO usage_archives (file, first_id, last_id, rows, tokens, cutoff, sha256, created_at, removed)
SELECT ?1, MIN(id), MAX(id), COUNT(*), SUM(charged_tokens), ?1, 'x', '2026-12-01 00:00:00.000Z', ?2 FROM usage_logs `
	oldArchive = addArchive + `WHERE created_at < ?1`
	forgeRow   = `INSERT INTO usage_archives (file, first_id, last_id, rows, tokens, cutoff, sha256, created_at, removed)
VALUES ('forged', 'a', 'b', 1, 1, '`
)

// later is when the tests verify: archives are older.
var later = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// archive writes what there is of old rows down as two files, and removes the rows
// of the first; those of the second too when it is marked as removed.
func (b *books) archive(isRemoved int) {
	b.t.Helper()
	b.exec(oldArchive, earlier, 1)
	b.exec(`DELETE FROM usage_logs WHERE created_at < ?`, earlier)
	b.exec(oldArchive, cutoff, isRemoved)
	if isRemoved == 1 {
		b.exec(`DELETE FROM usage_logs WHERE ` + isOld)
	}
}

// Archived usage rows may be gone, and no others; what is left must be right.
func TestArchivedUsageMayBeGone(t *testing.T) {
	const (
		newest = `id = (SELECT MAX(id) FROM usage_logs)`
		anOld  = `(SELECT MIN(id) FROM usage_logs WHERE charged_tokens > 0 AND ` + isOld + `)`
		nobody = `INSERT INTO usage_logs (id, ledger_id, subject_type, subject_id, charged_tokens, created_at)
VALUES ('x', 'x', 'user', 'nobody', 1, '2026-11-24 08:00:00.000Z')`
	)
	for name, test := range map[string]struct {
		change    string
		isRemoved int
		isSound   bool
	}{
		"not removed yet":            {`SELECT 1`, 0, true},
		"one removed":                {`DELETE FROM usage_logs WHERE id = ` + anOld, 0, true},
		"all removed, not marked":    {`DELETE FROM usage_logs WHERE ` + isOld, 0, true},
		"all removed":                {`SELECT 1`, 1, true},
		"an old one changed":         {setUsage + `charged_tokens = 999 WHERE id = ` + anOld, 0, false},
		"an old one of nobody":       {setUsage + `subject_id = 'nobody' WHERE id = ` + anOld, 0, false},
		"one of nobody came":         {nobody, 1, false},
		"a newer one removed":        {`DELETE FROM usage_logs WHERE ` + newest, 1, false},
		"a newer one made older":     {setUsage + `created_at = '2026-11-24 08:00:00.000Z' WHERE ` + newest, 0, false},
		"an old one made newer":      {setUsage + `created_at = '2026-11-26 08:00:00.000Z' WHERE id = ` + anOld, 0, false},
		"the cutoff is no time":      {`UPDATE usage_archives SET cutoff = 'never'`, 0, false},
		"marked before it is gone":   {`UPDATE usage_archives SET removed = 1`, 0, false},
		"fewer tokens in an archive": {`UPDATE usage_archives SET tokens = tokens - 1`, 1, false},
		"more tokens in an archive":  {`UPDATE usage_archives SET tokens = tokens + 1`, 1, false},
		"fewer rows in an archive":   {`UPDATE usage_archives SET rows = rows - 1`, 1, false},
		"an archive is deleted":      {`DELETE FROM usage_archives WHERE cutoff = '` + earlier + `'`, 1, false},
		"an archive without a row":   {`UPDATE usage_archives SET rows = 0`, 1, false},
		"removed is 2":               {`UPDATE usage_archives SET removed = 2`, 1, false},
		"a forged archive":           {forgeRow + cutoff + `', 'x', '2026-12-01 00:00:00.000Z', 1)`, 1, false},
		"forged, and a row removed":  {forgeRow + `2026-12-01 00:00:00.000Z', 'x', '2026-12-01 00:00:00.000Z', 1); DELETE FROM usage_logs WHERE ` + newest, 1, false},
		"forged, all rows removed":   {forgeRow + `2026-12-01 00:00:00.000Z', 'x', '2026-12-01 00:00:00.000Z', 0); DELETE FROM usage_logs`, 1, false},
	} {
		b := open(t)
		b.archive(test.isRemoved)
		b.exec(test.change)
		if report := b.verify(verify.Options{Now: later}); report.Sound() != test.isSound {
			t.Errorf("%s: sound is %v\n%s", name, report.Sound(), show(report))
		}
	}
}

func TestACutoffLiesInThePast(t *testing.T) {
	b := open(t)
	b.archive(1)
	if report := b.verify(verify.Options{Now: time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC)}); !names(report, "usage_archives", "rowid 2") {
		t.Errorf("a cutoff in the future is no finding:\n%s", show(report))
	}
	b = open(t)
	b.archive(1)
	b.exec(`UPDATE usage_archives SET created_at = '2026-11-24 13:00:00.000Z'`)
	if report := b.verify(verify.Options{Now: later}); !names(report, "usage_archives", "rowid 2") {
		t.Errorf("an archive that is older than its rows is no finding:\n%s", show(report))
	}
}

// Imported usage rows are archived like others, but the ledger does not say how
// many there were.
func TestImportedUsageMayBeArchived(t *testing.T) {
	const before = `2026-01-01 00:00:00.000Z`
	for name, test := range map[string]struct {
		change  string
		isSound bool
	}{
		"all":                    {`SELECT 1`, true},
		"an own one is gone too": {`DELETE FROM usage_logs`, false},
		"more tokens":            {`UPDATE usage_archives SET tokens = tokens + 10000`, false},
		"fewer tokens":           {`UPDATE usage_archives SET tokens = tokens - 10000`, false},
	} {
		b := importedBooks(t)
		b.exec(oldArchive, before, 1)
		b.exec(`DELETE FROM usage_logs WHERE created_at < ?`, before)
		b.exec(test.change)
		if report := b.verify(verify.Options{Now: later}); report.Sound() != test.isSound {
			t.Errorf("%s: sound is %v\n%s", name, report.Sound(), show(report))
		}
	}
}
