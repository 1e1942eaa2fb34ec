package memorystore_test

import (
	"fmt"
	"testing"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/memorystore"
)

func TestMemoryPassesTheSuite(t *testing.T) {
	ledgertest.Suite(t, func(*testing.T) ledgertest.Fixture {
		store := memorystore.NewMemory()
		return ledgertest.Fixture{
			Store:        store,
			CreateWallet: func(_ *testing.T, subject ledger.Subject) { store.CreateWallet(subject) },
			Day: func(_ *testing.T, subject ledger.Subject, day string) ledger.UsageTotals {
				return store.Books().Daily[subject.ID+" "+day].UsageTotals
			},
			Quarter: func(_ *testing.T, subject ledger.Subject, slot int64) ledger.UsageTotals {
				return store.Books().Quarters[fmt.Sprint(subject.ID, " ", slot)].UsageTotals
			},
		}
	})
}

// The audit is what tests lean on, so it has to see every kind of damage.
func TestTheAuditSeesDamage(t *testing.T) {
	alice := ledger.UserSubject("alice0000000001")
	for name, damage := range map[string]func(*memorystore.Books){
		"a balance that moved alone": func(b *memorystore.Books) { edit(b.Wallets, alice, func(w *ledger.Wallet) { w.Balance++ }) },
		"a seq that moved alone":     func(b *memorystore.Books) { edit(b.Wallets, alice, func(w *ledger.Wallet) { w.Seq++ }) },
		"another head":               func(b *memorystore.Books) { edit(b.Wallets, alice, func(w *ledger.Wallet) { w.Head[0]++ }) },
		"an amount that was changed": func(b *memorystore.Books) { edit(b.Entries, "e1", func(e *ledger.Entry) { e.Amount++ }) },
		"a description likewise":     func(b *memorystore.Books) { edit(b.Entries, "e1", func(e *ledger.Entry) { e.Description = "x" }) },
		"a missing entry":            func(b *memorystore.Books) { delete(b.Entries, "e2") },
		"a missing wallet":           func(b *memorystore.Books) { delete(b.Wallets, alice) },
		"a missing usage row":        func(b *memorystore.Books) { delete(b.Usage, "e2") },
		"a usage row too many":       func(b *memorystore.Books) { b.Usage["e9"] = ledger.UsageRow{} },
		"a roll-up that is off": func(b *memorystore.Books) {
			edit(b.Daily, "alice0000000001 2026-11-24", func(d *ledger.DailyUsage) { d.Tokens++ })
		},
		"a roll-up of a day too many": func(b *memorystore.Books) { b.Daily["alice0000000001 2026-11-25"] = ledger.DailyUsage{} },
	} {
		books := soundBooks(alice)
		if err := memorystore.Audit(books); err != nil {
			t.Fatalf("sound books do not pass: %v", err)
		}
		damage(&books)
		if memorystore.Audit(books) == nil {
			t.Errorf("%s was not seen", name)
		}
	}
}

func edit[K comparable, V any](m map[K]V, key K, change func(*V)) {
	value := m[key]
	change(&value)
	m[key] = value
}

func soundBooks(subject ledger.Subject) memorystore.Books {
	store, clock := memorystore.NewMemory(), ledgertest.NewClock()
	books := store.Books()
	wallet := ledger.Wallet{Subject: subject}
	for i, op := range []ledger.Operation{
		ledger.Mint{Request: ledger.Request{Subject: subject}, Amount: 5},
		ledger.Use{Request: ledger.Request{Subject: subject}, Amount: 3},
	} {
		outcome, err := ledger.Apply(wallet, op, ledger.Facts{Now: clock.Now(), ID: []string{"e1", "e2"}[i]})
		if err != nil {
			panic(err)
		}
		wallet = outcome.Wallet
		books.Entries[outcome.Entry.ID] = *outcome.Entry
		if outcome.Usage != nil {
			books.Usage[outcome.Usage.ID] = *outcome.Usage
			books.Daily[subject.ID+" 2026-11-24"] = ledger.DailyUsage{Subject: subject, Day: "2026-11-24", UsageTotals: ledger.UsageTotals{Uses: 1, Tokens: 3}}
			slot := clock.Now().Unix() / ledger.QuarterSeconds
			books.Quarters[fmt.Sprint(subject.ID, " ", slot)] = ledger.QuarterUsage{Subject: subject, Slot: slot, UsageTotals: ledger.UsageTotals{Uses: 1, Tokens: 3}}
		}
	}
	books.Wallets[subject] = wallet
	return books
}
