package hooks

import (
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
	"sokuji/internal/ledger"
)

// unknownKeysPerMinute is how many requests with a key that is none one address
// may make in a minute. Keys that are one are not counted, so that a neighbour's
// mistake keeps nobody out.
const unknownKeysPerMinute = 60

// admitKey says where a key may go, notes that it was used, and slows down
// whoever tries keys out. Nothing here reads the database.
func (s *server) admitKey(e *core.RequestEvent, c caller) error {
	if c.kind == guest {
		return s.slowDownGuesses(e)
	}
	if c.kind != apiKey {
		return nil
	}
	if !keyMayEnter(e.Request.URL.Path) {
		return forbidden("An API key does not open this route.")
	}
	if allowed := c.grant.Bounds().Addresses; len(allowed) > 0 && !allowed.Allow(clientAddress(e)) {
		return forbidden("This API key may not be used from this address: its owner lists the allowed ones in allowedIps.")
	}
	s.keys.uses.note(c.grant.ID, time.Now())
	return nil
}

// slowDownGuesses counts requests that come with a key and without a caller.
func (s *server) slowDownGuesses(e *core.RequestEvent) error {
	value := authorizationValue(e.Request)
	isGuess := apikeys.LooksLike(value) || apikeys.LooksLike(e.Request.Header.Get("x-api-key"))
	if !isGuess && (value == "" || !strings.HasPrefix(e.Request.URL.Path, "/v1/")) {
		return nil
	}
	return throttle(s.unknownKeyLimit, "api-key", clientAddress(e))
}

// spenderOf is the key that pays, with its bounds, or nobody.
func spenderOf(c caller) ledger.Spender {
	if c.kind != apiKey {
		return ledger.Spender{}
	}
	bounds := c.grant.Bounds()
	return ledger.Spender{
		KeyID: c.grant.ID, LimitTokens: bounds.SpendTokens,
		DailyBudgetTokens: bounds.DailyBudgetTokens, MonthlyBudgetTokens: bounds.MonthlyBudgetTokens,
	}
}
