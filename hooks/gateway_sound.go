package hooks

import (
	"fmt"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// soundOfSession is what every realtime session may hear, whatever it says of itself.
func soundOfSession(endpoint metering.Endpoint) pricing.Usage {
	if endpoint == translations {
		return pricing.Usage{Milliseconds: 1} // priced by time alone
	}
	return pricing.Usage{InAudio: 1}
}

// heardByScribe is what a model that writes down is priced by: sound, or its time.
var heardByScribe = pricing.Usage{InAudio: 1, Milliseconds: 1}

// refuseSoundAsText refuses a request for sound where the price would charge it as
// text: a price by the beginning of a name also matches models that speak, and
// sound costs many times what text does.
func refuseSoundAsText(endpoint metering.Endpoint, asked pricing.Usage, upstream gateway.Upstream) error {
	cheap := pricing.SoundAsText(asked, upstream.Price.Rates)
	if len(cheap) == 0 {
		return nil
	}
	field, remedy := "model", "choose another model"
	switch endpoint {
	case metering.Speech, metering.Transcriptions, metering.Realtime, translations:
	default:
		field, remedy = "modalities", `leave "audio" out of modalities, or choose another model`
		if cheap[0] == pricing.ClassInAudio {
			field, remedy = "input_audio", "leave the parts of type input_audio out, or choose another model"
		}
	}
	return ledger.Invalid(field, fmt.Sprintf("The price of the model %.100q has no rate for %s: %s.", upstream.Asked, cheap[0], remedy))
}
