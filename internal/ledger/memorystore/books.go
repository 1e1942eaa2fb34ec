package memorystore

import (
	"maps"
	"slices"

	"sokuji/internal/ledger"
)

// Books is everything a store keeps.
type Books struct {
	Wallets      map[ledger.Subject]ledger.Wallet
	Entries      map[string]ledger.Entry
	Usage        map[string]ledger.UsageRow
	Audit        []ledger.AuditRow
	Requests     map[ledger.RequestKey]ledger.StoredRequest
	Daily        map[string]ledger.DailyUsage   // by subject id and day
	Quarters     map[string]ledger.QuarterUsage // by subject id and slot
	Holds        map[string]ledger.HoldRow
	Grants       map[string]ledger.Grant
	Moves        []ledger.GrantMove
	Entitlements map[ledger.Subject]ledger.Entitlement
	Spending     map[string]ledger.KeySpending // by key id
}

func newBooks() Books {
	return Books{
		Wallets:      make(map[ledger.Subject]ledger.Wallet),
		Entries:      make(map[string]ledger.Entry),
		Usage:        make(map[string]ledger.UsageRow),
		Requests:     make(map[ledger.RequestKey]ledger.StoredRequest),
		Daily:        make(map[string]ledger.DailyUsage),
		Quarters:     make(map[string]ledger.QuarterUsage),
		Holds:        make(map[string]ledger.HoldRow),
		Grants:       make(map[string]ledger.Grant),
		Entitlements: make(map[ledger.Subject]ledger.Entitlement),
		Spending:     make(map[string]ledger.KeySpending),
	}
}

func (b Books) clone() Books {
	return Books{
		Wallets: maps.Clone(b.Wallets), Entries: maps.Clone(b.Entries), Usage: maps.Clone(b.Usage),
		Audit: slices.Clone(b.Audit), Requests: maps.Clone(b.Requests), Daily: maps.Clone(b.Daily),
		Quarters: maps.Clone(b.Quarters), Holds: maps.Clone(b.Holds), Grants: maps.Clone(b.Grants), Moves: slices.Clone(b.Moves),
		Entitlements: maps.Clone(b.Entitlements), Spending: maps.Clone(b.Spending),
	}
}
