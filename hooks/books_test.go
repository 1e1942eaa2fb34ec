package hooks

import "testing"

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
