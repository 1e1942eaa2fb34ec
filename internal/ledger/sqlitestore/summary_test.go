package sqlitestore_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/sqlitestore"
)

// plan is how SQLite runs a query.
func (f fixture) plan(t *testing.T, query string, arguments ...any) string {
	t.Helper()
	rows, err := f.writer.Query("EXPLAIN QUERY PLAN "+query, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}

// slots returns where a wallet was used, ascending.
func (f fixture) slots(t *testing.T, subject ledger.Subject, from, to time.Time) []int64 {
	t.Helper()
	var slots []int64
	err := f.store.EachQuarter(context.Background(), subject, from, to, func(q ledger.QuarterUsage) { slots = append(slots, q.Slot) })
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(slots)
	return slots
}

// quarters fills twenty-eight days with a use in every slot, of both wallets.
func (f fixture) quarters(t *testing.T, subjects ...ledger.Subject) (first time.Time) {
	t.Helper()
	first = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, subject := range subjects {
		for _, statement := range []string{
			`WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 28 * 96 - 1)
			INSERT INTO usage_quarters (slot, subject_id, subject_type, uses, tokens, input_tokens, output_tokens)
			SELECT ?1 + n, ?2, ?3, 1, n, 2 * n, 3 * n FROM n`,
			`INSERT INTO usage_daily (id, subject_type, subject_id, day, uses)
			SELECT subject_id || '-' || date(slot * 900, 'unixepoch'), subject_type, subject_id, date(slot * 900, 'unixepoch'), COUNT(*)
			FROM usage_quarters WHERE ?1 AND subject_id = ?2 AND subject_type = ?3 GROUP BY 4`,
		} {
			if _, err := f.writer.Exec(statement, first.Unix()/900, subject.ID, string(subject.Type)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return first
}

func TestQuartersOfAPeriod(t *testing.T) {
	f := open(t)
	alice, bob := ledger.UserSubject("alice0000000001"), ledger.UserSubject("bob000000000001")
	first := f.quarters(t, alice, bob)
	zero := first.Unix() / 900
	for _, test := range []struct {
		name     string
		from, to time.Duration // after the first
		low      int64
		count    int
	}{
		{"all", 0, 28 * 24 * time.Hour, 0, 28 * 96},
		{"more than all", -1000 * time.Hour, 1000 * time.Hour, 0, 28 * 96},
		{"one", 15 * time.Minute, 30 * time.Minute, 1, 1},
		{"none", 15 * time.Minute, 15 * time.Minute, 0, 0},
		{"what begins inside", 16 * time.Minute, 46 * time.Minute, 2, 2},
		{"down to the nanosecond", 15*time.Minute + 1, 30*time.Minute + 1, 2, 1},
		{"over midnight", 23*time.Hour + 45*time.Minute, 24*time.Hour + 15*time.Minute, 95, 2},
		{"a day of Kathmandu", 18*time.Hour + 15*time.Minute, 42*time.Hour + 15*time.Minute, 73, 96},
		{"before", -time.Hour, 0, 0, 0},
		{"after", 28 * 24 * time.Hour, 29 * 24 * time.Hour, 0, 0},
	} {
		slots := f.slots(t, alice, first.Add(test.from), first.Add(test.to))
		if len(slots) != test.count {
			t.Errorf("%s: %d slots, want %d", test.name, len(slots), test.count)
			continue
		}
		for i, slot := range slots {
			if slot != zero+test.low+int64(i) {
				t.Errorf("%s: slot %d is %d", test.name, i, slot-zero)
				break
			}
		}
	}
	other := ledger.Subject{Type: ledger.SubjectOrganization, ID: alice.ID}
	if slots := f.slots(t, other, first, first.Add(24*time.Hour)); len(slots) != 0 {
		t.Errorf("an organisation of the same id sees %d slots", len(slots))
	}
}

func TestQuartersCarryTheirSums(t *testing.T) {
	f := open(t)
	alice := ledger.UserSubject("alice0000000001")
	first := f.quarters(t, alice)
	var got []ledger.QuarterUsage
	err := f.store.EachQuarter(context.Background(), alice, first.Add(75*time.Minute), first.Add(90*time.Minute),
		func(q ledger.QuarterUsage) { got = append(got, q) })
	want := ledger.QuarterUsage{Subject: alice, Slot: first.Unix()/900 + 5, UsageTotals: ledger.UsageTotals{Uses: 1, Tokens: 5, InputTokens: 10, OutputTokens: 15}}
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// What the writer stores is what the summary reads.
func TestQuartersOfRealUses(t *testing.T) {
	f, alice := filled(t) // a use in two of three hours, from 8:00 on
	start := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	slots := f.slots(t, alice, start, start.Add(30*time.Hour))
	if len(slots) != 20 || slots[0] != start.Add(time.Hour).Unix()/900 {
		t.Errorf("got %v", slots)
	}
}

// A wallet's chart must cost what that wallet used, not what everybody did.
func TestQuartersAreFoundByTheWholeKey(t *testing.T) {
	f := open(t)
	plan := f.plan(t, sqlitestore.SelectQuarters, "a", "user", "2026-01-01", "2026-12-31", 1, 2)
	for _, step := range []string{
		"SEARCH d USING INDEX idx_usage_daily_subject_day (subject_id=? AND day>? AND day<?)",
		"SEARCH q USING PRIMARY KEY (slot=? AND subject_id=?)",
	} {
		if !strings.Contains(plan, step) {
			t.Errorf("no %q in\n%s", step, plan)
		}
	}
	if strings.Contains(plan, "SCAN q") || strings.Contains(plan, "SCAN d") || strings.Index(plan, "SEARCH d") > strings.Index(plan, "SEARCH q") {
		t.Errorf("the plan is\n%s", plan)
	}
}
