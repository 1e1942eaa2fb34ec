package hooks

import (
	"strings"
	"testing"

	"sokuji/internal/apikeys"
)

// The database itself refuses what must never happen, whoever asks.
func TestTriggersHoldAgainstRawSQL(t *testing.T) {
	h := furnished(t)
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 5), "Idempotency-Key", "k1").want(200)
	h.archiveRow()
	h.spendingRow()
	before := h.snapshot()
	for table, column := range map[string]string{
		"wallet_ledger":   "amount_tokens",
		"audit_log":       "reason",
		"prices":          "in_text",
		"wallet_requests": "balance",
	} {
		for _, statement := range []string{
			"UPDATE " + table + " SET " + column + " = 1",
			"UPDATE OR IGNORE " + table + " SET " + column + " = " + column,
			"WITH x AS (SELECT 1) UPDATE " + table + " SET " + column + " = 1",
			"DELETE FROM " + table,
			"WITH x AS (SELECT 1) DELETE FROM " + table,
		} {
			h.wantRefused(statement, table+" is append-only")
		}
	}
	for statement, reason := range map[string]string{
		"DELETE FROM wallets":                                               "wallets are never deleted",
		"UPDATE wallets SET id = 'x' WHERE id = {:id}":                      "a wallet never changes its owner",
		"UPDATE wallets SET subject_id = 'x' WHERE id = {:id}":              "a wallet never changes its owner",
		"UPDATE wallets SET subject_type = 'organization' WHERE id = {:id}": "a wallet never changes its owner",
		"UPDATE usage_logs SET charged_tokens = 0 WHERE subject_id = {:id}": "usage_logs rows never change",
		"UPDATE usage_logs SET subject_id = 'x' WHERE subject_id = {:id}":   "usage_logs rows never change",
		"DELETE FROM api_key_spending":                                      "what a key has spent is never deleted",
		"UPDATE api_key_spending SET tokens = tokens - 1":                   "what a key has spent never shrinks",
		"UPDATE api_key_spending SET key_id = 'x'":                          "what a key has spent never shrinks",
		"UPDATE api_key_spending SET day = '2000-01-01'":                    "what a key has spent never shrinks",
		"UPDATE api_key_spending SET month = '2000-01'":                     "what a key has spent never shrinks",
		"DELETE FROM usage_archives":                                        "usage_archives rows are never deleted",
		"UPDATE usage_archives SET rows = 0":                                "usage_archives rows never change",
		"UPDATE usage_archives SET cutoff = cutoff":                         "usage_archives rows never change",
		"UPDATE usage_archives SET removed = 0":                             "usage rows are removed once",
		"UPDATE usage_archives SET removed = 2":                             "usage rows are removed once",
	} {
		h.wantRefused(statement, reason)
	}
	h.unchanged(before)
}

// archiveRow puts the manifest of an archive into the database.
func (h *house) archiveRow() {
	h.t.Helper()
	h.mustExecute(`INSERT INTO usage_archives (file, first_id, last_id, rows, tokens, cutoff, sha256, created_at)
		VALUES ('f', 'a', 'b', 1, 1, '2026-01-01', 'x', '2026-02-01')`)
}

// spendingRow lets a key of alice's spend.
func (h *house) spendingRow() {
	h.t.Helper()
	h.do("POST", "/api/wallet/use", bearer(h.key(apikeys.ScopeWalletCharge)), object("amount", 1)).want(200)
}

func (h *house) wantRefused(statement, reason string) {
	h.t.Helper()
	err := h.execute(statement, "id", h.alice.Id)
	if err == nil || !strings.Contains(err.Error(), reason) {
		h.t.Errorf("%s gave the error %v, want %q", statement, err, reason)
	}
}

// REPLACE deletes without a word; with recursive triggers off it would slip past
// a BEFORE DELETE trigger.
func TestReplaceDoesNotRewriteHistory(t *testing.T) {
	h := furnished(t)
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 5), "Idempotency-Key", "k1").want(200)
	h.archiveRow()
	h.spendingRow()
	before := h.snapshot()
	for _, table := range []string{"wallet_ledger", "audit_log", "prices", "wallet_requests", "wallets", "usage_archives", "api_key_spending"} {
		if err := h.execute("INSERT OR REPLACE INTO " + table + " SELECT * FROM " + table); err == nil {
			t.Errorf("REPLACE INTO %s went through", table)
		}
	}
	h.unchanged(before)
}

// One entry has one place in its chain, one external event is minted once.
func TestUniqueIndexesHoldTheBooks(t *testing.T) {
	h := newHouse(t)
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 5, "externalEventId", "evt_1")).want(200)
	before := h.snapshot()
	copyEntry := func(columns string) string {
		return `INSERT INTO wallet_ledger (id, subject_type, subject_id, seq, amount_tokens, event_type, external_event_id, hash)
			SELECT ` + columns + ` FROM wallet_ledger LIMIT 1`
	}
	for rule, statement := range map[string]string{
		"the same seq twice":            copyEntry(`'new', subject_type, subject_id, seq, 1, 'mint', '', 'x'`),
		"the same event in any wallet":  copyEntry(`'new', subject_type, 'other', 1, 1, 'mint', external_event_id, 'x'`),
		"a second wallet of a subject":  `INSERT INTO wallets (id, subject_type, subject_id) SELECT 'new', subject_type, subject_id FROM wallets`,
		"a second entitlement":          `INSERT INTO entitlements (id, subject_type, subject_id, plan_id) SELECT 'new', subject_type, subject_id, plan_id FROM entitlements`,
		"a second account of an e-mail": `INSERT INTO users (id, email, password, tokenKey) SELECT 'new', UPPER(email), '', 'new' FROM users LIMIT 1`,
	} {
		if err := h.execute(statement); err == nil || !strings.Contains(err.Error(), "UNIQUE") {
			t.Errorf("%s gave the error %v", rule, err)
		}
	}
	h.unchanged(before)
}
