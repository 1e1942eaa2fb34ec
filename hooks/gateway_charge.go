package hooks

import (
	"cmp"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/pricing"
)

// quote prices what a call uses.
func (s *server) quote(upstream gateway.Upstream, plan entitlement, usage pricing.Usage) (pricing.Charge, error) {
	rates := upstream.Price.Rates
	return pricing.Quote(pricing.PerCall(usage, rates), rates, s.marginFor(upstream.Price, plan), s.config.TokenValueMicroUSD)
}

// charge prices what a call used, and makes the usage row of it, but for the facts
// of the call itself.
func (s *server) charge(upstream gateway.Upstream, plan entitlement, usage pricing.Usage) (pricing.Charge, ledger.Usage, error) {
	charged, err := s.quote(upstream, plan, usage)
	if err != nil {
		return pricing.Charge{}, ledger.Usage{}, err
	}
	rates, margin, value := upstream.Price.Rates, s.marginFor(upstream.Price, plan), s.config.TokenValueMicroUSD
	row := ledger.Usage{
		Provider: upstream.Price.Provider, Model: upstream.Asked, Modality: modalityOf(usage), Method: "POST",
		InputTokens: usage.InputTokens(), OutputTokens: usage.OutputTokens(), Milliseconds: usage.Milliseconds,
		AdjustedInputTokens: charged.In, AdjustedOutputTokens: charged.Out,
		PriceID: upstream.Price.ID, Rates: pinRates(rates, margin, value),
	}
	row.TotalTokens = row.InputTokens + row.OutputTokens
	in, out := sideRates(rates, row.Modality)
	row.InputRatio, row.OutputRatio = pricing.Ratio(in, margin, value), pricing.Ratio(out, margin, value)
	return charged, row, nil
}

// marginFor is the margin over the provider's cost, in parts per million.
func (s *server) marginFor(price pricing.Price, plan entitlement) int64 {
	return price.EffectiveMarginPPM(plan.marginPPM, s.config.MarginPPM)
}

// modalityOf is audio as soon as any was heard or spoken.
func modalityOf(u pricing.Usage) string {
	if cmp.Or(u.InAudio, u.InCachedAudio, u.OutAudio, u.Milliseconds) != 0 {
		return modalityAudio
	}
	return modalityText
}
