package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"
)

// balanceAnswer is the original's, with what is held and available.
type balanceAnswer struct {
	Balance               int64  `json:"balance"`
	Held                  int64  `json:"held"`
	Available             int64  `json:"available"`
	Frozen                bool   `json:"frozen"`
	PlanID                string `json:"planId"`
	MaxConcurrentSessions int64  `json:"maxConcurrentSessions"`
	RateLimitRPM          int64  `json:"rateLimitRpm"`
	UpdatedAt             string `json:"updatedAt"`
}

// walletBalance shows a wallet and what its owner may do.
func (s *server) walletBalance(e *core.RequestEvent) error {
	subject, err := requireWalletReader(e)
	if err != nil {
		return err
	}
	ctx := e.Request.Context()
	wallet, err := s.ledger.Wallet(ctx, subject)
	if err != nil {
		return err
	}
	granted, err := s.entitlementOf(ctx, subject)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, balanceAnswer{
		Balance:               wallet.Balance,
		Held:                  wallet.Held,
		Available:             wallet.Available(),
		Frozen:                wallet.Frozen,
		PlanID:                granted.planID,
		MaxConcurrentSessions: granted.maxConcurrentSessions,
		RateLimitRPM:          granted.rateLimitRPM,
		UpdatedAt:             isoTime(wallet.UpdatedAt),
	})
}
