package hooks

import (
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// usageDays is how far back the status looks: 30 UTC days, today included.
const usageDays = 30

// statusAnswer is the shape of the original's later versions. The Sokuji app
// reads balanceMicroUsd, frozen and last30DaysUsageMicroUsd.
type statusAnswer struct {
	Balance                 int64    `json:"balance"`
	BalanceMicroUSD         int64    `json:"balanceMicroUsd"`
	Frozen                  bool     `json:"frozen"`
	Plan                    string   `json:"plan"`
	MonthlyQuota            int64    `json:"monthlyQuota"`
	Usage                   int64    `json:"usage"`
	Last30DaysUsage         int64    `json:"last30DaysUsage"`
	Last30DaysUsageMicroUSD int64    `json:"last30DaysUsageMicroUsd"`
	Features                []string `json:"features"`
	RateLimitRPM            int64    `json:"rateLimitRpm"`
	MaxConcurrentSessions   int64    `json:"maxConcurrentSessions"`
	Total                   int64    `json:"total"`
	Used                    int64    `json:"used"`
	Remaining               int64    `json:"remaining"`
	ResetDate               *string  `json:"resetDate"`
}

// walletStatus shows a wallet, its plan and its last 30 days.
func (s *server) walletStatus(e *core.RequestEvent) error {
	wallet, granted, err := s.readWallet(e)
	if err != nil {
		return err
	}
	since := time.Now().UTC().AddDate(0, 0, 1-usageDays).Format(time.DateOnly)
	used, err := s.store.UsedTokens(e.Request.Context(), wallet.Subject, since)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, statusAnswer{
		Balance:                 wallet.Balance,
		BalanceMicroUSD:         wallet.Balance * s.config.TokenValueMicroUSD,
		Frozen:                  wallet.Frozen,
		Plan:                    planName(granted.planID),
		MonthlyQuota:            granted.monthlyQuotaTokens,
		Usage:                   used,
		Last30DaysUsage:         used,
		Last30DaysUsageMicroUSD: used * s.config.TokenValueMicroUSD,
		Features:                s.featuresOf(wallet.Subject, granted),
		RateLimitRPM:            granted.rateLimitRPM,
		MaxConcurrentSessions:   granted.maxConcurrentSessions,
		Total:                   wallet.Balance,
		Remaining:               wallet.Balance,
	})
}
