package hooks

import (
	"sync"
	"testing"
)

// However many ask at once, each sees what was on disk when it asked.
func TestASuperusersKeyIsAsNewAsTheQuestion(t *testing.T) {
	h := newHouse(t)
	reader, err := sqlPool(h.app.ConcurrentDB())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := newSuperuserKeys(reader)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := keys.close(); err != nil {
			t.Error(err)
		}
	}()
	for round := range 50 {
		want := string(rune('a' + round%26))
		if err := h.execute("UPDATE _superusers SET tokenKey = '"+want+"' WHERE id = {:id}", "id", h.root.Id); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if got, found, err := keys.of(h.root.Id); got != want || !found || err != nil {
					t.Errorf("got %q, %v, %v; want %q", got, found, err, want)
				}
			})
		}
		wg.Wait()
	}
	if _, found, err := keys.of("nobody"); found || err != nil {
		t.Fatalf("got %v, %v", found, err)
	}
}
