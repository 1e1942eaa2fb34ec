package hooks

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// guardedRows are the collections whose rows no superuser may edit, and the route
// that the refusal must name.
var guardedRows = map[string]string{
	"wallet_holds":  "/api/wallet/holds/{id}/extend",
	"wallet_grants": "/api/wallet/mint",
	"wallets":       "/api/wallet/",
	"wallet_ledger": "/api/wallet/refund",
	"usage_logs":    "/api/wallet/use",
	"usage_daily":   "/api/wallet/use",
	"audit_log":     "/api/wallet/",
	"prices":        "new row",
}

// validRow is a body that would pass every check but the guard's.
func validRow(h *house, collection string) map[string]any {
	subject := map[string]any{"subject_type": "user", "subject_id": "somebody"}
	extra := map[string]map[string]any{
		"wallets":       {"balance_tokens": 1_000_000},
		"wallet_ledger": {"event_type": "mint", "amount_tokens": 1_000_000, "hash": "00"},
		"usage_logs":    {"provider": "openai"},
		"usage_daily":   {"day": "2026-01-01"},
		"audit_log":     {"actor": "me", "action": "nothing"},
		"prices":        {"provider": "openai", "model": "new", "in_text": 1},
	}
	maps.Copy(subject, extra[collection])
	return subject
}

func pairs(values map[string]any) []any {
	var list []any
	for key, value := range values {
		list = append(list, key, value)
	}
	return list
}

func TestRecordAPINeverEditsMoney(t *testing.T) {
	h := furnished(t)
	before := h.snapshot()
	for collection, advice := range guardedRows {
		t.Run(collection, func(t *testing.T) {
			for _, name := range []string{collection, h.collectionID(collection)} {
				records := "/api/collections/" + name + "/records"
				row := records + "/" + h.firstID(collection, "TRUE")
				if collection != "prices" {
					h.do("POST", records, h.asRoot(), object(pairs(validRow(h, collection))...)).wantOutcome("403").names(advice)
				}
				h.do("PATCH", row, h.asRoot(), object("subject_id", "somebody", "model", "free")).wantOutcome("403").names(advice)
				h.do("DELETE", row, h.asRoot(), "").wantOutcome("403").names(advice)
			}
		})
	}
	h.unchanged(before)
}

func (h *house) collectionID(name string) string {
	h.t.Helper()
	collection, err := h.app.FindCollectionByNameOrId(name)
	if err != nil {
		h.t.Fatal(err)
	}
	return collection.Id
}

// Our own code is not above the rule: a record Save would write a stale balance.
func TestSaveNeverEditsMoney(t *testing.T) {
	h := furnished(t)
	before := h.snapshot()
	for collection := range guardedRows {
		record, err := h.app.FindRecordById(collection, h.firstID(collection, "TRUE"))
		if err != nil {
			t.Fatal(err)
		}
		record.Set("balance_tokens", 1)
		if h.app.Save(record) == nil {
			t.Errorf("a record of %s was saved", collection)
		}
		if h.app.Delete(record) == nil {
			t.Errorf("a record of %s was deleted", collection)
		}
	}
	h.unchanged(before)
}

func TestBatchNeverEditsMoney(t *testing.T) {
	h := furnished(t)
	h.enableBatch()
	before := h.snapshot()
	for collection, advice := range guardedRows {
		records := "/api/collections/" + collection + "/records"
		row := records + "/" + h.firstID(collection, "TRUE")
		innocent := batched("PATCH", "/api/collections/users/records/"+h.alice.Id, map[string]any{"name": "Changed"})
		requests := []map[string]any{
			batched("PATCH", row, map[string]any{"subject_id": "somebody", "model": "free"}),
			batched("PUT", records, map[string]any{"id": h.firstID(collection, "TRUE"), "subject_id": "somebody", "model": "free"}),
			batched("DELETE", row, nil),
		}
		if collection != "prices" {
			requests = append(requests, batched("POST", records, validRow(h, collection)))
		}
		for _, request := range requests {
			// the innocent neighbour is rolled back with it
			h.do("POST", "/api/batch", h.asRoot(), object("requests", []any{innocent, request})).
				wantOutcome("400").names(advice)
		}
	}
	h.unchanged(before)
}

func (h *house) enableBatch() {
	h.t.Helper()
	settings := h.app.Settings()
	settings.Batch.Enabled, settings.Batch.MaxRequests, settings.Batch.Timeout = true, 50, 3
	if err := h.app.Save(settings); err != nil {
		h.t.Fatal(err)
	}
}

func batched(method, url string, body map[string]any) map[string]any {
	return map[string]any{"method": method, "url": url, "body": body}
}

func TestTruncateIsRefused(t *testing.T) {
	h := furnished(t)
	before := h.snapshot()
	for _, collection := range ownCollections {
		advice := guardedRows[collection]
		if advice == "" {
			advice = "one by one"
		}
		for _, name := range []string{collection, h.collectionID(collection), strings.ToUpper(collection)} {
			h.do("DELETE", "/api/collections/"+name+"/truncate", h.asRoot(), "").wantOutcome("403").names(advice)
		}
		h.do("DELETE", "/api/collections/"+collection+"/truncate", h.asAlice(), "").wantOutcome("403")
		h.do("DELETE", "/api/collections/"+collection+"/truncate", nobody, "").wantOutcome("401")
	}
	h.unchanged(before)
}

func TestSchemaOfOwnCollectionsIsRefused(t *testing.T) {
	h := furnished(t)
	before := h.snapshot()
	schema := h.schema()
	for _, collection := range ownCollections {
		for _, name := range []string{collection, h.collectionID(collection)} {
			path := "/api/collections/" + name
			h.do("DELETE", path, h.asRoot(), "").wantOutcome("403").names("migration")
			h.do("PATCH", path, h.asRoot(), object("name", "renamed")).wantOutcome("403").names("migration")
			if collection != usersCollection {
				h.do("PATCH", path, h.asRoot(), object("listRule", "", "updateRule", "")).wantOutcome("403").names("migration")
				h.do("PATCH", path, h.asRoot(), object("fields", []any{})).wantOutcome("403").names("migration")
			}
		}
	}
	h.unchanged(before)
	if now := h.schema(); now != schema {
		t.Errorf("the schema changed\nfrom %s\nto   %s", schema, now)
	}
}

// schema is everything that SQLite and PocketBase know about the tables.
func (h *house) schema() string {
	h.t.Helper()
	return strings.Join(append(h.dump(h.app.NonconcurrentDB(), "sqlite_master"), h.dump(h.app.NonconcurrentDB(), "_collections")...), "\n")
}

// Another collection may not take one of our names either, and users stay
// editable: operators add fields and providers there.
func TestSchemaOfOthersStaysEditable(t *testing.T) {
	h := newHouse(t)
	h.do("POST", "/api/collections", h.asRoot(), object("name", "notes", "type", "base")).wantOutcome("200")
	h.do("PATCH", "/api/collections/notes", h.asRoot(), object("name", "memos")).wantOutcome("200")
	h.do("PATCH", "/api/collections/memos", h.asRoot(), object("name", "wallets")).wantOutcome("403")
	h.do("DELETE", "/api/collections/memos", h.asRoot(), "").wantOutcome("204")
	users := h.do("GET", "/api/collections/users", h.asRoot(), "").want(200)
	fields, _ := users.value("fields").([]any)
	h.do("PATCH", "/api/collections/users", h.asRoot(),
		object("fields", append(slices.Clone(fields), map[string]any{"name": "company", "type": "text"}))).wantOutcome("200")
}

func TestImportIsRefused(t *testing.T) {
	h := furnished(t)
	before := h.snapshot()
	schema := h.schema()
	notes := map[string]any{"name": "notes", "type": "base"}
	for _, collection := range ownCollections {
		for _, definition := range []map[string]any{
			{"name": collection, "type": "base", "fields": []any{}},
			{"name": "renamed", "id": h.collectionID(collection), "type": "base", "fields": []any{}},
		} {
			h.do("PUT", "/api/collections/import", h.asRoot(), object("collections", []any{notes, definition})).
				wantOutcome("403").names("/api/wallet/adjust")
		}
	}
	h.do("PUT", "/api/collections/import", h.asRoot(), object("collections", []any{notes}, "deleteMissing", true)).
		wantOutcome("403").names("deleteMissing")
	h.unchanged(before)
	if now := h.schema(); now != schema {
		t.Error("an import that was refused changed the schema")
	}
	h.do("PUT", "/api/collections/import", h.asRoot(), object("collections", []any{notes})).wantOutcome("204")
}

func TestSQLConsoleIsOff(t *testing.T) {
	h := furnished(t)
	before := h.snapshot()
	for _, statement := range []string{
		"SELECT * FROM wallets",
		"UPDATE wallets SET balance_tokens = 1",
		"WITH x AS (SELECT 1) UPDATE wallets SET balance_tokens = 1",
		"/* */ UPDATE wallets SET balance_tokens = 1",
		"DROP TRIGGER wallet_ledger_no_update",
		"PRAGMA writable_schema = ON",
	} {
		for _, path := range []string{"/api/sql", "/api/sql/", "/api//sql"} {
			got := h.do(http.MethodPost, path, h.asRoot(), object("query", statement))
			if got.status < 300 {
				t.Errorf("POST %s ran %s: %s", path, statement, got.body)
			}
		}
		h.do("POST", "/api/sql", h.asRoot(), object("query", statement)).wantOutcome("403").names("/api/wallet/adjust")
		h.do("POST", "/api/sql", h.asAlice(), object("query", statement)).wantOutcome("403")
		h.do("POST", "/api/sql", nobody, object("query", statement)).wantOutcome("401")
	}
	h.unchanged(before)
}

// A new price is a new row, which the record API does take.
func TestPricesAreInsertOnly(t *testing.T) {
	h := newHouse(t)
	h.do("POST", "/api/collections/prices/records", h.asRoot(), object(pairs(validRow(h, "prices"))...)).wantOutcome("200")
	h.do("POST", "/api/collections/prices/records", h.asAlice(), object(pairs(validRow(h, "prices"))...)).wantOutcome("403")
}

// A key is made by its user alone, because only its hash is stored.
func TestKeysAreNotMadeThroughTheRecordAPI(t *testing.T) {
	h := newHouse(t)
	h.do("POST", "/api/collections/api_keys/records", h.asRoot(), object(
		"user", h.alice.Id, "name", "x", "prefix", "sk-sokuji-xxxx", "key_hash", strings.Repeat("0", 64), "scopes", []string{"gateway"})).
		wantOutcome("403").names("/api/user/api-key")
}
