package hooks

import (
	"errors"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// outcome is what a call consumed and how that is known.
type outcome struct {
	usage      pricing.Usage
	settledBy  ledger.SettledBy
	anomalies  []string
	responseID string
}

// outcomeOf decides between the provider's counts and ours. isWhole tells that the
// answer came to its end; counted is our own count, of both sides.
func outcomeOf(endpoint metering.Endpoint, report metering.Report, counted pricing.Usage, isWhole bool) outcome {
	result := outcome{anomalies: report.Anomalies, responseID: report.ResponseID}
	if report.Found && metering.IsPlausible(report.Usage) {
		result.usage, result.settledBy = report.Usage, ledger.SettledByProvider
		if endpoint == metering.Messages && !isWhole {
			// Its first event already has counts, of which those of the output are only
			// the beginning.
			result.usage.OutText = max(report.Usage.OutText, counted.OutText)
			result.settledBy = ledger.SettledByPartial
		}
		return result
	}
	if report.Found {
		result.anomalies = append(result.anomalies, "implausible counts of the provider were not believed")
	}
	result.usage, result.settledBy = counted, ledger.SettledByPartial
	if isWhole {
		result.settledBy = ledger.SettledByEstimate
	}
	return result
}

// chargeFor prices an outcome. Counts of a class without a rate are priced as the
// nearest class that has one, so that they are not given away: a discount that the
// price does not name is none.
func (s *server) chargeFor(upstream gateway.Upstream, plan entitlement, result outcome) (pricing.Charge, ledger.Usage, outcome, error) {
	charged, row, err := s.charge(upstream, plan, result.usage)
	if _, unpriced := errors.AsType[*pricing.UnpricedError](err); unpriced {
		var priced pricing.Usage
		result, priced = fit(result, upstream.Price.Rates)
		charged, row, err = s.charge(upstream, plan, priced)
		row.InputTokens, row.OutputTokens = result.usage.InputTokens(), result.usage.OutputTokens()
		row.TotalTokens = row.InputTokens + row.OutputTokens
	}
	return charged, row, result, err
}

// estimate prices what a call may use, or has used so far.
func (s *server) estimate(upstream gateway.Upstream, plan entitlement, usage pricing.Usage) (int64, error) {
	charged, err := s.quote(upstream, plan, usage)
	if _, unpriced := errors.AsType[*pricing.UnpricedError](err); unpriced {
		charged, err = s.quote(upstream, plan, pricing.Fit(usage, upstream.Price.Rates))
	}
	return charged.Total, err
}

// fit brings an outcome to the classes that a price has. What the provider counted
// is consumed: it stays in the row as it is, and is priced as the nearest class.
// What is only our own estimate may be of a kind that the model does not have.
func fit(result outcome, rates pricing.Rates) (outcome, pricing.Usage) {
	if result.settledBy != ledger.SettledByProvider {
		result.usage = pricing.Fit(result.usage, rates)
		return result, result.usage
	}
	priced, _ := pricing.Fold(result.usage, rates)
	result.anomalies = append(result.anomalies, "counts of a class without a rate were priced as the nearest class")
	return result, priced
}
