package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/pricing"
)

// modalities of a priced use: which classes its counts belong to.
const (
	modalityText  = "text"
	modalityAudio = "audio"
)

// readCounts reads what a priced use counts.
func readCounts(body *fields, u *ledger.Usage) {
	u.Provider, u.Model, u.Modality = body.text("provider"), body.text("model"), body.text("modality")
	u.InputTokens, u.OutputTokens = body.integer("inputTokens"), body.integer("outputTokens")
	u.TotalTokens = u.InputTokens + u.OutputTokens
	u.Milliseconds = body.seconds("durationSeconds")
	if u.Modality == "" {
		u.Modality = modalityText
	}
	checkCounts(body, *u)
}

// price returns what the counts of a use cost under the price in force, and notes
// the price with them, or says why they cannot be priced.
func (s *server) price(u *ledger.Usage, plan entitlement) (int64, error) {
	price, found := s.prices.Load().Find(u.Provider, u.Model, time.Now())
	if !found {
		return 0, ledger.Invalid("model", fmt.Sprintf(
			"model %q of provider %q has no price: add one to the collection prices, or send amount.", u.Model, u.Provider))
	}
	margin := s.marginFor(price, plan)
	charge, err := pricing.Quote(classes(*u), price.Rates, margin, s.config.TokenValueMicroUSD)
	if err != nil {
		return 0, priceRefusal(err)
	}
	u.AdjustedInputTokens, u.AdjustedOutputTokens = charge.In, charge.Out
	u.PriceID = price.ID
	in, out := sideRates(price.Rates, u.Modality)
	u.InputRatio = pricing.Ratio(in, margin, s.config.TokenValueMicroUSD)
	u.OutputRatio = pricing.Ratio(out, margin, s.config.TokenValueMicroUSD)
	u.Rates = pinRates(price.Rates, margin, s.config.TokenValueMicroUSD)
	return charge.Total, nil
}

func checkCounts(body *fields, u ledger.Usage) {
	if u.Provider == "" {
		body.fail("provider", "provider is missing: send the provider of the model, such as openai.")
	}
	if u.Model == "" {
		body.fail("model", "model is missing: send the model that was used.")
	}
	if u.Modality != modalityText && u.Modality != modalityAudio {
		body.fail("modality", `modality must be "text" or "audio".`)
	}
	for name, count := range map[string]int64{"inputTokens": u.InputTokens, "outputTokens": u.OutputTokens} {
		if count < 0 || count > pricing.MaxCount {
			body.fail(name, name+" must be a whole number from 0 to 10^12.")
		}
	}
	if u.InputTokens == 0 && u.OutputTokens == 0 && u.Milliseconds == 0 {
		body.fail("inputTokens", "There is nothing to charge: send inputTokens, outputTokens or durationSeconds.")
	}
}

// seconds reads a duration, decimals allowed, as milliseconds.
func (f *fields) seconds(name string) int64 {
	text := f.number(name)
	if text == "" {
		return 0
	}
	milliseconds, err := pricing.ParseSeconds(text)
	if err != nil {
		f.fail(name, name+": "+err.Error()+".")
	}
	return milliseconds
}

// classes sorts the counts of a use into the normal form.
func classes(u ledger.Usage) pricing.Usage {
	counted := pricing.Usage{Milliseconds: u.Milliseconds}
	if u.Modality == modalityAudio {
		counted.InAudio, counted.OutAudio = u.InputTokens, u.OutputTokens
	} else {
		counted.InText, counted.OutText = u.InputTokens, u.OutputTokens
	}
	return counted
}

func sideRates(rates pricing.Rates, modality string) (in, out int64) {
	if modality == modalityAudio {
		return rates.InAudio, rates.OutAudio
	}
	return rates.InText, rates.OutText
}

func priceRefusal(err error) error {
	if unpriced, ok := errors.AsType[*pricing.UnpricedError](err); ok {
		return ledger.Invalid("model", fmt.Sprintf(
			"the price of this model has no rate for %s: add a price row that has one.", unpriced.Class))
	}
	return ledger.Invalid("inputTokens", "the counts cannot be priced: "+err.Error()+".")
}

// pinRates keeps with a use what its price was made of.
func pinRates(rates pricing.Rates, marginPPM, tokenValueMicroUSD int64) json.RawMessage {
	pinned, err := json.Marshal(struct {
		pricing.Rates
		MarginPPM          int64 `json:"margin_ppm"`
		TokenValueMicroUSD int64 `json:"token_value_micro_usd"`
	}{rates, marginPPM, tokenValueMicroUSD})
	if err != nil {
		return nil // integers always encode
	}
	return pinned
}
