package ledgertest_test

import (
	"testing"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
)

func TestMemoryPassesTheSuite(t *testing.T) {
	ledgertest.Suite(t, func(*testing.T) ledgertest.Fixture {
		store := ledgertest.NewMemory()
		return ledgertest.Fixture{
			Store:        store,
			CreateWallet: func(_ *testing.T, subject ledger.Subject) { store.CreateWallet(subject) },
		}
	})
}

// The audit is what tests lean on, so it has to see every kind of damage.
func TestTheAuditSeesDamage(t *testing.T) {
	alice := ledger.UserSubject("alice0000000001")
	for name, damage := range map[string]func(*ledgertest.Books){
		"a balance that moved alone": func(b *ledgertest.Books) { edit(b.Wallets, alice, func(w *ledger.Wallet) { w.Balance++ }) },
		"a seq that moved alone":     func(b *ledgertest.Books) { edit(b.Wallets, alice, func(w *ledger.Wallet) { w.Seq++ }) },
		"another head":               func(b *ledgertest.Books) { edit(b.Wallets, alice, func(w *ledger.Wallet) { w.Head[0]++ }) },
		"an amount that was changed": func(b *ledgertest.Books) { edit(b.Entries, "e1", func(e *ledger.Entry) { e.Amount++ }) },
		"a description likewise":     func(b *ledgertest.Books) { edit(b.Entries, "e1", func(e *ledger.Entry) { e.Description = "x" }) },
		"a missing entry":            func(b *ledgertest.Books) { delete(b.Entries, "e2") },
		"a missing wallet":           func(b *ledgertest.Books) { delete(b.Wallets, alice) },
		"a missing usage row":        func(b *ledgertest.Books) { delete(b.Usage, "e2") },
		"a usage row too many":       func(b *ledgertest.Books) { b.Usage["e9"] = ledger.UsageRow{} },
		"a roll-up that is off": func(b *ledgertest.Books) {
			edit(b.Daily, "alice0000000001 2026-11-24", func(d *ledger.DailyUsage) { d.Tokens++ })
		},
		"a roll-up of a day too many": func(b *ledgertest.Books) { b.Daily["alice0000000001 2026-11-25"] = ledger.DailyUsage{} },
	} {
		books := soundBooks(alice)
		if err := ledgertest.Audit(books); err != nil {
			t.Fatalf("sound books do not pass: %v", err)
		}
		damage(&books)
		if ledgertest.Audit(books) == nil {
			t.Errorf("%s was not seen", name)
		}
	}
}

func edit[K comparable, V any](m map[K]V, key K, change func(*V)) {
	value := m[key]
	change(&value)
	m[key] = value
}

func soundBooks(subject ledger.Subject) ledgertest.Books {
	store, clock := ledgertest.NewMemory(), ledgertest.NewClock()
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
		}
	}
	books.Wallets[subject] = wallet
	return books
}
