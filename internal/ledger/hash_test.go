package ledger_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

func fullEntry() ledger.Entry {
	return ledger.Entry{
		ID: "i", Subject: ledger.Subject{Type: "user", ID: "u"}, Seq: 1, Amount: 2, BalanceAfter: 3, EventType: "mint",
		ReferenceType: "rt", ReferenceID: "ri", PlanID: "p", ExternalEventID: "x", IdempotencyKey: "k", RequestHash: "rh",
		Description: "d", Metadata: json.RawMessage(`{}`), CreatedAt: noon, PrevHash: ledger.Hash{1},
	}
}

// The hash is a promise to whoever keeps a copy of the ledger: it may never
// change for an entry that exists.
func TestTheHashOfAnEntryIsFixed(t *testing.T) {
	const want = "0e9a642fb9266a5ae9a5dcdf4d078e34c2bd630ce1cc74b3bf27b17faef635ba"
	if got := fullEntry().ComputeHash().String(); got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestEveryFieldCountsInTheHash(t *testing.T) {
	original := fullEntry()
	changes := map[string]func(*ledger.Entry){
		"ID":              func(e *ledger.Entry) { e.ID += "!" },
		"Subject":         func(e *ledger.Entry) { e.Subject.ID += "!" },
		"Seq":             func(e *ledger.Entry) { e.Seq++ },
		"Amount":          func(e *ledger.Entry) { e.Amount = -e.Amount },
		"BalanceAfter":    func(e *ledger.Entry) { e.BalanceAfter++ },
		"EventType":       func(e *ledger.Entry) { e.EventType = "use" },
		"ReferenceType":   func(e *ledger.Entry) { e.ReferenceType = "" },
		"ReferenceID":     func(e *ledger.Entry) { e.ReferenceID += "!" },
		"PlanID":          func(e *ledger.Entry) { e.PlanID += "!" },
		"ExternalEventID": func(e *ledger.Entry) { e.ExternalEventID += "!" },
		"IdempotencyKey":  func(e *ledger.Entry) { e.IdempotencyKey += "!" },
		"RequestHash":     func(e *ledger.Entry) { e.RequestHash += "!" },
		"Description":     func(e *ledger.Entry) { e.Description += "!" },
		"Metadata":        func(e *ledger.Entry) { e.Metadata = nil },
		"CreatedAt":       func(e *ledger.Entry) { e.CreatedAt = e.CreatedAt.Add(time.Millisecond) },
		"PrevHash":        func(e *ledger.Entry) { e.PrevHash[31]++ },
	}
	fields := reflect.TypeFor[ledger.Entry]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		if name == "Hash" {
			continue
		}
		change, ok := changes[name]
		if !ok {
			t.Errorf("no test changes the field %s: is it hashed?", name)
			continue
		}
		changed := fullEntry()
		change(&changed)
		if changed.ComputeHash() == original.ComputeHash() {
			t.Errorf("%s does not count", name)
		}
	}
	kind := fullEntry()
	kind.Subject.Type = "organization"
	if kind.ComputeHash() == original.ComputeHash() {
		t.Error("the subject's type does not count")
	}
}

func TestFieldsDoNotRunIntoEachOther(t *testing.T) {
	a, b := fullEntry(), fullEntry()
	a.ReferenceType, a.ReferenceID = "ab", "c"
	b.ReferenceType, b.ReferenceID = "a", "bc"
	if a.ComputeHash() == b.ComputeHash() {
		t.Fatal("two entries read as the same bytes")
	}
}

func TestParseHash(t *testing.T) {
	hash := fullEntry().ComputeHash()
	if got, err := ledger.ParseHash(hash.String()); err != nil || got != hash {
		t.Fatalf("got %v, %v", got, err)
	}
	if got, err := ledger.ParseHash(""); err != nil || got != (ledger.Hash{}) {
		t.Fatalf("got %v, %v", got, err)
	}
	for _, bad := range []string{"00", hash.String() + "0", hash.String()[1:], "zz" + hash.String()[2:]} {
		if _, err := ledger.ParseHash(bad); err == nil {
			t.Errorf("%q was taken for a hash", bad)
		}
	}
}
