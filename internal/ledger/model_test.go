package ledger_test

import (
	"cmp"
	"slices"
	"time"

	"sokuji/internal/ledger"
)

// model is the naive ledger: no batches, no cache, no chain, no grants, only
// single tokens that each know when they are over, and what api.md says.
type model struct {
	now       time.Time
	wallets   map[ledger.Subject]*modelWallet
	holds     map[string]*modelHold
	originals map[string]*modelOriginal // mints and uses, by entry id
	byKey     map[string]modelAnswer    // what was done, by route, wallet and key
	byEvent   map[string]modelAnswer
	entries   int
	uses      []modelUse // of keys
}

// modelUse is what a key was charged, and when.
type modelUse struct {
	key    string
	at     time.Time
	tokens int64
}

// modelWallet has either tokens or a debt.
type modelWallet struct {
	dated   []modelToken // soonest first
	undated int64
	debt    int64
	frozen  string // the reason
	seq     int64
}

type modelToken struct {
	mint      string // the id of its entry
	expiresAt time.Time
}

type modelHold struct {
	subject           ledger.Subject
	amount            int64
	state             ledger.HoldState
	created, deadline time.Time
	key               string
	isGateways        bool
}

// modelOriginal is an entry that may be refunded.
type modelOriginal struct {
	subject ledger.Subject
	credit  bool
	left    int64        // what may still be refunded
	took    []modelToken // of a use: the dated tokens that have not come back
}

// modelAnswer is a first result, with everything that its request said.
type modelAnswer struct {
	shape   string
	receipt ledger.Receipt
	results []ledger.Result
}

func newModel(now time.Time) *model {
	return &model{
		now: now, wallets: map[ledger.Subject]*modelWallet{alice: {}, bob: {}}, holds: map[string]*modelHold{},
		originals: map[string]*modelOriginal{}, byKey: map[string]modelAnswer{}, byEvent: map[string]modelAnswer{},
	}
}

func (w *modelWallet) balance() int64 { return int64(len(w.dated)) + w.undated - w.debt }

func (m *model) held(subject ledger.Subject) (sum int64) {
	for _, hold := range m.holds {
		if hold.subject == subject && hold.state == ledger.HoldOpen {
			sum += hold.amount
		}
	}
	return sum
}

func (m *model) available(subject ledger.Subject) int64 {
	return m.wallets[subject].balance() - m.held(subject)
}

func (m *model) entry(subject ledger.Subject) {
	m.entries++
	m.wallets[subject].seq++
}

// add credits tokens; a debt is paid first.
func (w *modelWallet) add(count int64, token modelToken) {
	for range count {
		switch {
		case w.debt > 0:
			w.debt--
		case token.expiresAt.IsZero():
			w.undated++
		default:
			w.dated = append(w.dated, token)
		}
	}
	slices.SortFunc(w.dated, func(a, b modelToken) int {
		return cmp.Or(a.expiresAt.Compare(b.expiresAt), cmp.Compare(a.mint, b.mint))
	})
}

// takeDated takes up to count of the dated tokens that are wanted, soonest first.
func (w *modelWallet) takeDated(count int64, wanted func(modelToken) bool) (taken []modelToken) {
	w.dated = slices.DeleteFunc(w.dated, func(token modelToken) bool {
		if int64(len(taken)) == count || !wanted(token) {
			return false
		}
		taken = append(taken, token)
		return true
	})
	return taken
}

func (w *modelWallet) takeUndated(count int64) int64 {
	taken := min(count, w.undated)
	w.undated -= taken
	return taken
}

// spend takes tokens in the order of api.md and returns the dated ones. keptToo
// is for what closes a hold: it may take at once what a hold kept alive.
func (m *model) spend(w *modelWallet, count int64, keptToo bool) []modelToken {
	taken := w.takeDated(count, func(t modelToken) bool { return keptToo || t.expiresAt.After(m.now) })
	count -= int64(len(taken))
	count -= w.takeUndated(count)
	kept := w.takeDated(count, func(modelToken) bool { return true })
	w.debt += count - int64(len(kept))
	return append(taken, kept...)
}

// reverse takes the tokens of a mint back, its own first.
func (m *model) reverse(w *modelWallet, count int64, mint string) {
	count -= int64(len(w.takeDated(count, func(t modelToken) bool { return t.mint == mint })))
	count -= w.takeUndated(count)
	m.spend(w, count, false)
}

// expire takes back the tokens of a wallet that are over, but for those that an
// open hold from their lifetime reserves. Each mint that loses some gets an entry.
func (m *model) expire(subject ledger.Subject) {
	w := m.wallets[subject]
	var kept []modelToken
	lost := make(map[string]int64)
	for _, token := range w.dated {
		if token.expiresAt.After(m.now) || int64(len(kept)) < m.reservedBefore(subject, token.expiresAt) {
			kept = append(kept, token)
			continue
		}
		lost[token.mint]++
	}
	w.dated = kept
	for mint, count := range lost {
		m.originals[mint].left -= count
		m.entry(subject)
	}
}

func (m *model) reservedBefore(subject ledger.Subject, at time.Time) (sum int64) {
	for _, hold := range m.holds {
		inTime := hold.state == ledger.HoldOpen && hold.deadline.After(m.now)
		if hold.subject == subject && inTime && hold.created.Before(at) {
			sum += hold.amount
		}
	}
	return sum
}

// sweep closes the holds that are over, in the order of their deadlines, and
// expires what is over everywhere.
func (m *model) sweep() {
	var due []string
	for id, hold := range m.holds {
		if hold.state == ledger.HoldOpen && !hold.deadline.After(m.now) {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b string) int {
		return cmp.Or(m.holds[a].deadline.Compare(m.holds[b].deadline), cmp.Compare(a, b))
	})
	for _, id := range due {
		m.expire(m.holds[id].subject)
		m.holds[id].state = ledger.HoldExpired
		m.expire(m.holds[id].subject)
	}
	for subject := range m.wallets {
		m.expire(subject)
	}
}
