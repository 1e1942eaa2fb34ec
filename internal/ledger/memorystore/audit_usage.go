package memorystore

import (
	"fmt"
	"time"

	"sokuji/internal/ledger"
)

// auditUsage checks usage rows and roll-ups against the entries.
func auditUsage(books Books) error {
	uses := 0
	daily, quarters := make(map[string]ledger.UsageTotals), make(map[string]ledger.UsageTotals)
	for id, entry := range books.Entries {
		if entry.EventType != ledger.EventUse {
			continue
		}
		uses++
		usage, ok := books.Usage[id]
		if !ok || usage.ChargedTokens != -entry.Amount || usage.Subject != entry.Subject {
			return fmt.Errorf("use %s has no usage row that fits", id)
		}
		one := ledger.UsageTotals{Uses: 1, Tokens: -entry.Amount, InputTokens: usage.InputTokens, OutputTokens: usage.OutputTokens}
		day := entry.Subject.ID + " " + entry.CreatedAt.Format(time.DateOnly)
		slot := quarterKey(entry.Subject, entry.CreatedAt.Unix()/ledger.QuarterSeconds)
		daily[day], quarters[slot] = sum(daily[day], one), sum(quarters[slot], one)
	}
	if uses != len(books.Usage) {
		return fmt.Errorf("%d usage rows for %d uses", len(books.Usage), uses)
	}
	for key, totals := range daily {
		if books.Daily[key].UsageTotals != totals {
			return fmt.Errorf("the roll-up of %s says %+v, its uses %+v", key, books.Daily[key].UsageTotals, totals)
		}
	}
	for key, totals := range quarters {
		if books.Quarters[key].UsageTotals != totals {
			return fmt.Errorf("the quarter-hour roll-up of %s says %+v, its uses %+v", key, books.Quarters[key].UsageTotals, totals)
		}
	}
	if len(daily) != len(books.Daily) || len(quarters) != len(books.Quarters) {
		return fmt.Errorf("%d and %d roll-ups for %d days and %d quarters of an hour with uses",
			len(books.Daily), len(books.Quarters), len(daily), len(quarters))
	}
	return nil
}

// auditRequests checks that finished requests name what is there, in the wallet
// that they are about.
func auditRequests(books Books) error {
	for key, request := range books.Requests {
		ids := []string{request.EntryID}
		for _, item := range request.Items {
			ids = append(ids, item.EntryID)
		}
		for _, id := range ids {
			if id != "" && books.Entries[id].Subject != key.Subject {
				return fmt.Errorf("request %q of %s names entry %s, which is not there", key.Key, key.Subject.ID, id)
			}
		}
		if hold := request.Hold; hold != nil && books.Holds[hold.ID].Subject != key.Subject {
			return fmt.Errorf("request %q of %s names hold %s, which is not there", key.Key, key.Subject.ID, hold.ID)
		}
	}
	return nil
}
