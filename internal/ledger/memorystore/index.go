package memorystore

import (
	"fmt"

	"sokuji/internal/ledger"
)

// place is where an entry stands in its wallet's chain.
type place struct {
	subject ledger.Subject
	seq     int64
}

// index finds entries by what a database would have an index on.
type index struct {
	places   map[place]bool
	events   map[string]string // entry ids by external event
	refunded map[string]int64  // tokens by the id of the original
	moves    map[pair]bool
}

// pair is an entry and a grant that it moves, at most once.
type pair struct{ entry, grant string }

func newIndex() index {
	return index{
		places: make(map[place]bool), events: make(map[string]string), refunded: make(map[string]int64), moves: make(map[pair]bool),
	}
}

func (x index) add(e ledger.Entry) {
	x.places[place{e.Subject, e.Seq}] = true
	if e.ExternalEventID != "" {
		x.events[e.ExternalEventID] = e.ID
	}
	if e.EventType == ledger.EventRefund {
		x.refunded[e.ReferenceID] += max(e.Amount, -e.Amount)
	}
}

// constraints refuses what a database would: rows that are there already, or
// twice in the same batch, and changes of a hold that is closed for good.
func (m *Memory) constraints(changes *ledger.Changes) error {
	added, ids := newIndex(), make(map[string]bool)
	for _, e := range changes.Entries {
		at, event := place{e.Subject, e.Seq}, e.ExternalEventID
		_, stored := m.data.Entries[e.ID]
		switch {
		case stored || ids[e.ID]:
			return fmt.Errorf("entry %s is there already: %w", e.ID, ledger.ErrConflict)
		case m.index.places[at] || added.places[at]:
			return fmt.Errorf("seq %d of %s is taken: %w", e.Seq, e.Subject.ID, ledger.ErrConflict)
		case event != "" && m.index.events[event]+added.events[event] != "":
			return fmt.Errorf("external event %s is taken: %w", event, ledger.ErrConflict)
		}
		ids[e.ID] = true
		added.add(*e)
	}
	keys := make(map[ledger.RequestKey]bool)
	for _, request := range changes.Requests {
		if _, stored := m.data.Requests[request.Key]; stored || keys[request.Key] {
			return fmt.Errorf("request %v is there already: %w", request.Key, ledger.ErrConflict)
		}
		keys[request.Key] = true
	}
	for _, move := range changes.Moves {
		at := pair{move.LedgerID, move.GrantID}
		if m.index.moves[at] || added.moves[at] {
			return fmt.Errorf("entry %s moves grant %s twice: %w", move.LedgerID, move.GrantID, ledger.ErrConflict)
		}
		added.moves[at] = true
	}
	for _, hold := range changes.Holds {
		if state := m.data.Holds[hold.ID].State; state == ledger.HoldSettled || state == ledger.HoldReleased {
			return fmt.Errorf("hold %s is closed: %w", hold.ID, ledger.ErrConflict)
		}
	}
	return nil
}
