package hooks

import (
	"errors"
	"net/url"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
	"sokuji/internal/ledger"
)

// FuzzParseFields feeds the body parser and every reader of a field: each input
// is either read or refused with a field's name, and nothing panics.
func FuzzParseFields(f *testing.F) {
	for _, seed := range []string{
		`{"amount":1}`, `{"amount":NaN}`, `{"amount":1.5}`, `{"amount":"1"}`, `{"amount":null}`, `{"amount":1e3}`, `[]`, `null`, ``,
		`{"amount":{}}`, `{"amount":[]} x`, `{"amount"`, `{"":1}`, `{"amount":99999999999999999999}`, `{"amount":-1}`, "\xff", `{"amount":tru`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		parsed, err := parseFields(body)
		if err == nil {
			read := parsed.amount("amount")
			if parsed.err == nil && (read < 1 || read > ledger.MaxAmountTokens) {
				t.Fatalf("%q was read as %d", body, read)
			}
			for name := range parsed.raw {
				parsed.text(name)
				parsed.flag(name)
				parsed.integer(name)
				parsed.seconds(name)
				parsed.object(name)
			}
			err = parsed.err
		}
		if refused, ok := errors.AsType[*ledger.Error](err); err != nil && (!ok || refused.Code != ledger.CodeInvalidRequest) {
			t.Fatalf("%q: got %v", body, err)
		}
	})
}

// FuzzCursors feeds the reader of lists: a cursor is one of ours or refused.
func FuzzCursors(f *testing.F) {
	for _, seed := range []string{"", "ZTE", "dTEuYQ", "e1", "!", "ZQ", "dS4", "ZS0x", makeCursor(ledgerCursor, 9, "7"), makeCursor(usageCursor, 9, "1.a")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		q, err := parseListQuery(url.Values{"cursor": {cursor}})
		if err != nil || q.cursor == "" {
			return
		}
		for _, list := range []string{ledgerCursor, usageCursor, holdsCursor} {
			total, place, err := parseCursor(list, q.cursor)
			if err != nil {
				continue
			}
			again, err := parseListQuery(url.Values{"cursor": {makeCursor(list, total, place)}})
			if err != nil || total < 0 || place == "" || again.cursor == "" {
				t.Fatalf("%q was read as %d and %q", cursor, total, place)
			}
			if seq, err := parseEntryPlace(place); err == nil && seq < 1 {
				t.Fatalf("%q was read as seq %d", cursor, seq)
			}
			if position, err := parseUsagePlace(place); err == nil && position.ID == "" {
				t.Fatalf("%q was read as %+v", cursor, position)
			}
		}
	})
}

// FuzzKeyForm feeds what an owner says about a key: it is refused with a field's
// name, or makes a row that the checker can read.
func FuzzKeyForm(f *testing.F) {
	for _, seed := range []string{
		`{"name":"ci"}`, `{"name":"a","scopes":["gateway","wallet:charge"],"expiresAt":"2099-01-01T00:00:00Z"}`,
		`{"spendLimitTokens":5,"dailyBudgetTokens":null,"rateLimitRpm":1}`, `{"allowedModels":["gpt-*"],"allowedIps":["10.0.0.0/8","::1"]}`,
		`{"disabled":true}`, `{"disabled":false,"name":""}`, `{"allowedModels":null,"allowedIps":[],"scopes":null}`, `{"user":"x"}`, `{"expiresAt":""}`,
	} {
		f.Add([]byte(seed))
	}
	collection := core.NewBaseCollection(keysCollection)
	f.Fuzz(func(t *testing.T, text []byte) {
		body, err := parseFields(text)
		if err != nil {
			return
		}
		record := core.NewRecord(collection)
		record.Set("scopes", apikeys.DefaultScopes().Strings())
		form, err := parseKeyForm(body)
		if err == nil {
			err = form.apply(record)
		}
		if refused, ok := errors.AsType[*ledger.Error](err); err != nil {
			if !ok || refused.Code != ledger.CodeInvalidRequest || refused.Field == "" {
				t.Fatalf("%q: got %v", text, err)
			}
			return
		}
		if _, err := apikeys.ParseScopes(record.GetStringSlice("scopes")); err != nil {
			t.Fatalf("%q made a key of scopes that cannot be read: %v", text, err)
		}
		if _, err := apikeys.ParseModels(record.GetStringSlice("allowed_models")); err != nil {
			t.Fatalf("%q made a key of models that cannot be read: %v", text, err)
		}
		if _, err := apikeys.ParseAddresses(record.GetStringSlice("allowed_ips")); err != nil {
			t.Fatalf("%q made a key of addresses that cannot be read: %v", text, err)
		}
		for _, column := range keyBounds {
			if bound := int64(record.GetInt(column)); bound < 0 || bound > ledger.MaxAmountTokens {
				t.Fatalf("%q bounds %s by %d", text, column, bound)
			}
		}
	})
}
