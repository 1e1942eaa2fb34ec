package verify

import (
	"cmp"
	"slices"
	"time"

	"sokuji/internal/ledger"
)

// Checkpoint says where each chain ended at a moment. Kept out of the reach of
// whoever can write to the database, it shows later that no chain was cut short
// or written anew.
type Checkpoint struct {
	At      time.Time
	wallets []mark // sorted by subject
}

// mark is the end of one chain.
type mark struct {
	subject ledger.Subject
	seq     int64
	head    ledger.Hash
	passed  bool // a verification came by
}

// Wallets is how many wallets the checkpoint names.
func (c *Checkpoint) Wallets() int { return len(c.wallets) }

// of finds the mark of a wallet; nil when there is none, or no checkpoint.
func (c *Checkpoint) of(subject ledger.Subject) *mark {
	if c == nil {
		return nil
	}
	index, found := slices.BinarySearchFunc(c.wallets, subject, func(m mark, s ledger.Subject) int {
		return compareSubjects(m.subject, s)
	})
	if !found {
		return nil
	}
	return &c.wallets[index]
}

// compareSubjects is the order of a checkpoint's lines.
func compareSubjects(a, b ledger.Subject) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
}

// passMark compares an entry with the checkpoint, if it is the one it names.
func (a *audit) passMark(m *mark, row entryRow) {
	if m.seq != row.Seq {
		return
	}
	if !m.passed && m.head != row.Hash {
		a.report.find("wallet_ledger", row.name(), "the checkpoint of %s has another hash for seq %d of %s %s: the chain was written anew since",
			a.options.Checkpoint.At.Format(time.RFC3339), m.seq, m.subject.Type, m.subject.ID)
	}
	m.passed = true
}

// checkMarks looks for what the checkpoint knows and the books do not.
func (a *audit) checkMarks() {
	if a.options.Checkpoint == nil {
		return
	}
	at := a.options.Checkpoint.At.Format(time.RFC3339)
	for i := range a.options.Checkpoint.wallets {
		m := &a.options.Checkpoint.wallets[i]
		passed := m.passed
		m.passed = false // for the next verification
		wallet := a.wallets[m.subject]
		switch {
		case wallet == nil || !wallet.hasWallet:
			a.report.find("wallets", m.subject.ID, "the checkpoint of %s names this wallet of a %s, but it is not there", at, m.subject.Type)
		case m.seq > 0 && !passed:
			a.report.find("wallets", m.subject.ID, "the checkpoint of %s has seen %d entries, but seq %d is not there: the chain was cut short", at, m.seq, m.seq)
		}
	}
}
