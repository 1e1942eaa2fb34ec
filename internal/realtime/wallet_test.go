package realtime

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"sokuji/internal/pricing"
)

// Test prices: each class costs another number of tokens, so that no two can be
// taken for each other.
var (
	turnRates   = pricing.Rates{InText: 1, InAudio: 10, InCachedText: 2, InCachedAudio: 3, OutText: 100, OutAudio: 1000}
	scribeRates = pricing.Rates{Milliseconds: 1}
)

func cost(u pricing.Usage) int64 {
	return u.InText + 10*u.InAudio + 2*u.InCachedText + 3*u.InCachedAudio + 100*u.OutText + 1000*u.OutAudio + u.Milliseconds
}

// purse is a wallet that writes down what happens to it.
type purse struct {
	mutex   sync.Mutex
	balance int64
	held    int64
	frozen  bool
	revoked bool
	broken  error // what settling answers
	panics  bool
	rates   map[string]pricing.Rates
	bills   []string
	holds   int // open
	keys    map[string]bool
}

func newPurse(balance int64) *purse {
	return &purse{
		balance: balance, keys: make(map[string]bool),
		rates: map[string]pricing.Rates{"": turnRates, "scribe": scribeRates},
	}
}

func (p *purse) MaySpend(context.Context) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.revoked {
		return &Refusal{Type: invalidRequest, Code: "invalid_api_key", Message: "revoked"}
	}
	return nil
}

func (p *purse) Rates(model string) (pricing.Rates, error) {
	rates, priced := p.rates[model]
	if !priced {
		return rates, &Refusal{Type: invalidRequest, Code: "model_not_found", Message: "no price for " + model}
	}
	return rates, nil
}

func (p *purse) Hold(_ context.Context, _ string, estimate pricing.Usage) (Hold, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.panics {
		panic("the wallet fell down")
	}
	if err := p.refusal(cost(estimate)); err != nil {
		return nil, err
	}
	p.held += cost(estimate)
	p.holds++
	return &pocket{purse: p, amount: cost(estimate), open: true}, nil
}

func (p *purse) refusal(amount int64) error {
	if p.frozen {
		return &Refusal{Type: "permission_error", Code: "wallet_frozen", Message: "frozen"}
	}
	if p.balance-p.held < amount {
		return &Refusal{Type: "insufficient_quota", Code: "insufficient_quota", Message: "empty"}
	}
	return nil
}

func (p *purse) set(change func(*purse)) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	change(p)
}

// story tells what was charged, one bill a line, and what is still held.
func (p *purse) story() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	story := strings.Join(p.bills, "\n")
	if p.holds != 0 || p.held != 0 {
		story += fmt.Sprintf("\n%d holds of %d tokens are open", p.holds, p.held)
	}
	return story
}

// pocket is a hold.
type pocket struct {
	purse  *purse
	amount int64
	open   bool
}

func (p *pocket) Covers(usage pricing.Usage) bool { return cost(usage) <= p.amount }

func (p *pocket) Extend(_ context.Context, by pricing.Usage) error {
	p.purse.mutex.Lock()
	defer p.purse.mutex.Unlock()
	if err := p.purse.refusal(cost(by)); err != nil {
		return err
	}
	p.amount += cost(by)
	p.purse.held += cost(by)
	return nil
}

func (p *pocket) Settle(_ context.Context, bill Bill) error {
	p.purse.mutex.Lock()
	defer p.purse.mutex.Unlock()
	if p.purse.broken != nil {
		return p.purse.broken
	}
	p.close()
	if p.purse.keys[bill.Key] {
		panic("billed twice: " + bill.Key)
	}
	p.purse.keys[bill.Key] = true
	p.purse.balance -= cost(bill.Usage)
	line := fmt.Sprintf("%s %d %s", bill.Key, cost(bill.Usage), bill.SettledBy)
	if bill.Model != "" {
		line += " " + bill.Model
	}
	p.purse.bills = append(p.purse.bills, line)
	return nil
}

func (p *pocket) Release(context.Context) error {
	p.purse.mutex.Lock()
	defer p.purse.mutex.Unlock()
	p.close()
	return nil
}

func (p *pocket) close() {
	if !p.open {
		panic("a hold is closed twice")
	}
	p.open = false
	p.purse.held -= p.amount
	p.purse.holds--
}
