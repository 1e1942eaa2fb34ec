package d1import_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"sokuji/e2e/dumpgen"
	"sokuji/internal/accounts"
	"sokuji/internal/ledger"
)

// A user who was deleted here does not come back with a later import.
func TestADeletedUserStaysDeleted(t *testing.T) {
	freeze := func(h *house, id string) {
		h.do(ledger.Freeze{Request: ledger.Request{Subject: ledger.UserSubject(id), Actor: "user:" + id}, Reason: accounts.ReasonDeleted})
	}
	for name, close := range map[string]func(h *house, id string){
		"with a wallet that is still to be closed": func(h *house, id string) {
			h.exec(`INSERT INTO wallet_closings (user_id, actor) VALUES (?, 'system')`, id)
		},
		"with a closed wallet": freeze,
		"with a wallet that was opened again": func(h *house, id string) {
			freeze(h, id)
			h.do(ledger.Unfreeze{Request: ledger.Request{Subject: ledger.UserSubject(id), Actor: "root"}, Reason: "a refund"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			options := dumpgen.Options{Seed: 1, Users: 2, Rows: 20}
			text, facts := generate(t, options)
			h, id := newHouse(t), dumpgen.UserID(1, 0)
			h.importText(text)
			for _, statement := range []string{
				`DELETE FROM users WHERE id = ?`, `DELETE FROM app_user WHERE better_auth_user_id = ?`, `DELETE FROM entitlements WHERE subject_id = ?`,
				`DELETE FROM sessions WHERE user = ?`, `DELETE FROM scrypt_passwords WHERE user_id = ?`,
			} {
				h.exec(statement, id)
			}
			close(h, id)
			before := h.fingerprint()
			report := h.importText(text)
			if report.Imported() != 0 || !names(report.Table("user"), "deleted here", id) {
				t.Errorf("imported %d rows; %+v", report.Imported(), report.Table("user"))
			}
			for _, table := range []string{"account", "session", "app_user", "entitlements"} {
				if got := report.Table(table); got.Read > 0 && (got.Skipped != 1 || !names(got, "its user was deleted here", "")) {
					t.Errorf("%s: %+v", table, got)
				}
			}
			h.want("1", `SELECT COUNT(*) FROM users`)
			h.want("1", `SELECT COUNT(*) FROM sessions`)
			h.want("20", `SELECT COUNT(*) FROM wallet_ledger`)
			h.checkBalances(options, facts)
			if after := h.fingerprint(); after != before {
				t.Errorf("it changed data.db:\n%s\n%s", before, after)
			}
		})
	}
}

// Someone who was never here may come with a later dump, also to a wallet that is.
func TestAUserMayComeToTheirWallet(t *testing.T) {
	h := newHouse(t)
	row := "'user','" + ghost + "',5,0,NULL"
	h.importText(strangeDump(map[string][]string{"wallets": rowsOf("wallets", row)}))
	h.want("5", `SELECT balance_tokens FROM wallets WHERE id = ?`, ghost)
	report := h.importText(strangeDump(map[string][]string{"wallets": rowsOf("wallets", row), "user": rowsOf("user", "'"+ghost+"','G','g@x.y',1,NULL,1,1")}))
	if report.Table("user").Imported != 1 {
		t.Errorf("got %+v", report.Table("user"))
	}
}

func (h *house) exec(statement string, arguments ...any) {
	h.t.Helper()
	if _, err := h.writer.Exec(statement, arguments...); err != nil {
		h.t.Fatalf("%s: %v", statement, err)
	}
}

// do runs an operation on the books, as the server does.
func (h *house) do(operation ledger.Operation) {
	h.t.Helper()
	l := ledger.Open(h.store, ledger.Options{Now: time.Now, Random: rand.Reader, SweepInterval: -1})
	defer l.Close()
	if _, err := l.Do(context.Background(), operation); err != nil {
		h.t.Fatal(err)
	}
}

// Of a deleted user's webhooks that an import brings, the event alone is kept.
func TestWebhooksOfADeletedUserComeEmpty(t *testing.T) {
	h := newHouse(t)
	h.exec(`INSERT INTO wallet_closings (user_id, actor) VALUES (?, 'system')`, ghost)
	row := func(id, user string) string {
		return id + ",'evt_" + id + "','payment.succeeded','" + user + "','{}','{}',NULL,'success','x',0,'sig','203.0.113.7',1795416111,1795416111"
	}
	dump := strangeDump(map[string][]string{"webhook_logs": rowsOf("webhook_logs", row("1", ghost), row("2", ada))})
	for round, want := range []string{"2 imported, 0 there, 0 skipped", "0 imported, 2 there, 0 skipped"} {
		if got := counts(h.importText(dump).Table("webhook_logs")); got != want {
			t.Errorf("round %d: %s, want %s", round, got, want)
		}
		h.want("evt_1|||", `SELECT event_id||'|'||user_id||raw_payload||coalesce(headers, '')||'|'||ip_address||'|'||webhook_signature||error_message FROM webhook_logs WHERE id = '1'`)
		h.want("{}203.0.113.7", `SELECT raw_payload||ip_address FROM webhook_logs WHERE id = '2'`)
	}
}
