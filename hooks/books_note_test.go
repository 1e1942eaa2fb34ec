package hooks

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// A finding that could not be noted is noted by the next check, once.
func TestAFindingIsNotedUntilItIsWritten(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	reader, err := sqlPool(h.app.ConcurrentDB())
	if err != nil {
		t.Fatal(err)
	}
	var noted []string
	full := errors.New("the disk is full")
	b := &books{reader: reader, mark: h.server.store, logger: slog.New(slog.DiscardHandler), now: time.Now}
	b.note = func(context.Context, ledger.AuditRow) error { return full }
	h.mustExecute("UPDATE wallets SET held_tokens = 7 WHERE id = {:id}", "id", h.alice.Id)
	if err := b.check(t.Context()); !errors.Is(err, full) || b.balance() {
		t.Fatalf("the first check: %v, balance %v", err, b.balance())
	}
	b.note = func(_ context.Context, row ledger.AuditRow) error {
		noted = append(noted, row.Action)
		return nil
	}
	for range 2 {
		if err := b.check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(noted) != 1 || noted[0] != "books.unbalanced" {
		t.Errorf("noted: %v", noted)
	}
}
