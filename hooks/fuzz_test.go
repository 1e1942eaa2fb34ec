package hooks

import (
	"errors"
	"net/url"
	"testing"

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
	for _, seed := range []string{"", "ZTE", "dTEuYQ", "e1", "!", "ZQ", "dS4", "ZS0x", entryCursor(7), encodeCursor("u1.a")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		q, err := parseListQuery(url.Values{"cursor": {cursor}})
		if err != nil || q.cursor == "" {
			return
		}
		if seq, err := parseEntryCursor(q.cursor); err == nil {
			if again, err := parseListQuery(url.Values{"cursor": {entryCursor(seq)}}); err != nil || seq < 1 || again.cursor == "" {
				t.Fatalf("%q was read as seq %d", cursor, seq)
			}
		}
		if position, err := parseUsageCursor(q.cursor); err == nil && position.ID == "" {
			t.Fatalf("%q was read as %+v", cursor, position)
		}
	})
}
