package hooks

import (
	"log/slog"
	"testing"
	"time"
)

// A row that was changed behind the server's back makes it unready, says so in
// the audit log once, and is over when the row is as it was.
func TestTheServerIsUnreadyWhileItsBooksDoNotBalance(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	h.hold(h.alice, 10)
	check := func() {
		for _, job := range h.app.Cron().Jobs() {
			if job.Id() == "sokujiBooks" {
				job.Run()
				return
			}
		}
		t.Fatal("no job checks the books")
	}
	check()
	h.do("GET", "/api/health/ready", nobody, "").want(200)
	for _, column := range []string{"balance_tokens", "held_tokens", "expiring_tokens", "seq"} {
		before := h.count("audit_log", "action = 'books.unbalanced'")
		h.mustExecute("UPDATE wallets SET "+column+" = "+column+" + 1 WHERE id = {:id}", "id", h.alice.Id)
		check()
		check()
		if got := h.do("GET", "/api/health/ready", nobody, "").want(503); got.text("status") != "unbalanced" {
			t.Errorf("%s: %s", column, got.body)
		}
		if rows := h.count("audit_log", "action = 'books.unbalanced' AND reason LIKE '%' || {:id} || '%'", "id", h.alice.Id); rows != before+1 {
			t.Errorf("%s: %d rows in the audit log, want %d", column, rows, before+1)
		}
		h.mustExecute("UPDATE wallets SET "+column+" = "+column+" - 1 WHERE id = {:id}", "id", h.alice.Id)
		check()
		h.do("GET", "/api/health/ready", nobody, "").want(200)
	}
}

// The check keeps how far it has come, and a server that starts again goes on from
// there: what was changed in between is found, however long ago.
func TestTheCheckOfTheBooksGoesOnAfterARestart(t *testing.T) {
	h := newHouse(t)
	reader, err := sqlPool(h.app.ConcurrentDB())
	if err != nil {
		t.Fatal(err)
	}
	start := func() *books {
		b := &books{reader: reader, mark: h.server.store, note: h.server.store.Note, logger: slog.New(slog.DiscardHandler), now: time.Now}
		if err := b.check(t.Context()); err != nil {
			t.Fatal(err)
		}
		return b
	}
	if err := h.server.books.check(t.Context()); err != nil { // behind that of the start
		t.Fatal(err)
	}
	h.mint(h.alice, 100)
	if !start().balance() {
		t.Fatal("sound books do not balance")
	}
	h.mint(h.alice, 100)
	if !start().balance() {
		t.Fatal("sound books do not balance after a restart")
	}
	if h.count("books_mark", "entry_id = (SELECT id FROM wallet_ledger ORDER BY rowid DESC LIMIT 1)") != 1 {
		t.Error("the mark is not the newest entry")
	}
	h.mustExecute("UPDATE books_mark SET entry_hash = 'x'")
	if start().balance() {
		t.Error("an entry that is not what was verified is passed over")
	}
}
