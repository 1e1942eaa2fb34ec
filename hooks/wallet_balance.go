package hooks

import (
	"net/http"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
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
	// NextExpiry is what of the balance expires next, null when nothing does.
	NextExpiry *expiryJSON `json:"nextExpiry"`
}

type expiryJSON struct {
	Tokens int64  `json:"tokens"`
	At     string `json:"at"`
}

// walletBalance shows a wallet and what its owner may do.
func (s *server) walletBalance(e *core.RequestEvent) error {
	wallet, granted, err := s.readWallet(e)
	if err != nil {
		return err
	}
	next, err := s.nextExpiry(e, wallet)
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
		NextExpiry:            next,
	})
}

// nextExpiry is how many tokens expire at the next moment at which any do. Grants
// that are over are not counted: an open hold keeps them, and they end with it.
func (s *server) nextExpiry(e *core.RequestEvent, wallet ledger.Wallet) (*expiryJSON, error) {
	if wallet.Expiring == 0 {
		return nil, nil
	}
	grants, err := s.store.Grants(e.Request.Context(), wallet.Subject)
	now := time.Now()
	grants = slices.DeleteFunc(grants, func(g ledger.Grant) bool { return !g.ExpiresAt.After(now) })
	if err != nil || len(grants) == 0 {
		return nil, err
	}
	next := expiryJSON{At: isoTime(grants[0].ExpiresAt)}
	for _, grant := range grants {
		if grant.ExpiresAt.Equal(grants[0].ExpiresAt) {
			next.Tokens += grant.Remaining
		}
	}
	return &next, nil
}

// readWallet reads the wallet that the caller may read, and what its owner may do.
func (s *server) readWallet(e *core.RequestEvent) (ledger.Wallet, entitlement, error) {
	subject, err := s.requireWalletViewer(e)
	if err != nil {
		return ledger.Wallet{}, entitlement{}, err
	}
	wallet, err := s.ledger.Wallet(e.Request.Context(), subject)
	if err != nil {
		return ledger.Wallet{}, entitlement{}, err
	}
	granted, err := s.entitlementOf(e.Request.Context(), subject)
	return wallet, granted, err
}
