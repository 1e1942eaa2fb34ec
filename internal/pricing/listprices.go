package pricing

// ListPrice is a price as its provider publishes it, and where that was read.
type ListPrice struct {
	Price
	Source string
}

// FeatureAdvancedModels is what a plan must have for the dearest models.
const FeatureAdvancedModels = "advanced_models"

const (
	openAIProvider    = "openai"
	anthropicProvider = "anthropic"

	// A page of the provider's own documentation.
	openAIPage    = "OpenAI, page of this model in the API documentation, checked 2026-11-24"
	anthropicPage = "Anthropic, page Pricing in the documentation, checked 2026-11-24"
	// Figures of the provider's page as several others give them alike.
	openAICited    = "OpenAI, page API pricing, as cited alike by others in 2025 and 2026, checked 2026-11-24"
	anthropicCited = "Anthropic, page Pricing, as cited alike by others in 2026-10, checked 2026-11-24"
)

// ListPrices returns the providers' published prices of the usual models, which
// a new price book starts with. Left out is what one row cannot say: models that
// cost more from some length of the prompt on, and pictures priced by size and
// quality. The prices have no ID, no margin of their own and are in force from the
// beginning of time.
//
// The migration that seeds them has run where the server was started before: a
// provider's new price is a new row in a new migration, never a change here.
func ListPrices() []ListPrice {
	return append(append(append(openAIText(), openAIRealtime()...), openAISoundAndPictures()...), anthropicMessages()...)
}

// openAIText are the models of chat, responses and embeddings. Dated names are
// listed apart, because not every one costs what its short name does.
func openAIText() []ListPrice {
	var list []ListPrice
	for _, group := range []struct {
		models          []string
		in, cached, out int64 // micro-USD per million tokens; cached 0: no discount
		feature, source string
	}{
		{[]string{"gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-2024-11-20"}, 2_500_000, 1_250_000, 10_000_000, "", openAICited},
		{[]string{"gpt-4o-2024-05-13"}, 5_000_000, 0, 15_000_000, "", openAICited},
		{[]string{"gpt-4o-mini", "gpt-4o-mini-2024-07-18"}, 150_000, 75_000, 600_000, "", openAICited},
		{[]string{"gpt-4.1", "gpt-4.1-2025-04-14"}, 2_000_000, 500_000, 8_000_000, "", openAICited},
		{[]string{"gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"}, 400_000, 100_000, 1_600_000, "", openAICited},
		{[]string{"gpt-4.1-nano", "gpt-4.1-nano-2025-04-14"}, 100_000, 25_000, 400_000, "", openAICited},
		{[]string{"o3", "o3-2025-04-16"}, 2_000_000, 500_000, 8_000_000, "", openAICited},
		{[]string{"o4-mini", "o4-mini-2025-04-16"}, 1_100_000, 275_000, 4_400_000, "", openAICited},
		{[]string{"gpt-5", "gpt-5-2025-08-07", "gpt-5.1"}, 1_250_000, 125_000, 10_000_000, "", openAICited},
		{[]string{"gpt-5-mini", "gpt-5-mini-2025-08-07"}, 250_000, 25_000, 2_000_000, "", openAICited},
		{[]string{"gpt-5-nano", "gpt-5-nano-2025-08-07"}, 50_000, 5_000, 400_000, "", openAIPage},
		{[]string{"gpt-5.2"}, 1_750_000, 175_000, 14_000_000, "", openAICited},
		{[]string{"gpt-5-pro"}, 15_000_000, 0, 120_000_000, FeatureAdvancedModels, openAICited},
		{[]string{"text-embedding-3-small"}, 20_000, 0, 0, "", openAIPage},
		{[]string{"text-embedding-3-large"}, 130_000, 0, 0, "", openAIPage},
	} {
		rates := Rates{InText: group.in, InCachedText: group.cached, OutText: group.out}
		for _, model := range group.models {
			list = append(list, ListPrice{Price{Provider: openAIProvider, Model: model, Rates: rates, Feature: group.feature}, group.source})
		}
	}
	return list
}

// openAIRealtime are the models of realtime sessions. Their transcription by
// whisper is priced by time, as in SeedPrices.
func openAIRealtime() []ListPrice {
	flagship := Rates{
		InText: 4_000_000, InCachedText: 400_000, OutText: 16_000_000,
		InAudio: 32_000_000, InCachedAudio: 400_000, OutAudio: 64_000_000,
		InImage: 5_000_000, InCachedImage: 500_000, Milliseconds: transcriptionRate,
	}
	reasoning := flagship
	reasoning.OutText = 24_000_000
	mini := Rates{
		InText: 600_000, InCachedText: 60_000, OutText: 2_400_000,
		InAudio: 10_000_000, InCachedAudio: 300_000, OutAudio: 20_000_000,
		InImage: 800_000, InCachedImage: 80_000, Milliseconds: transcriptionRate,
	}
	return []ListPrice{
		{Price{Provider: openAIProvider, Model: "gpt-realtime", Rates: flagship}, openAIPage},
		{Price{Provider: openAIProvider, Model: "gpt-realtime-1.5", Rates: flagship}, openAIPage},
		{Price{Provider: openAIProvider, Model: "gpt-realtime-2", Rates: reasoning}, openAIPage},
		{Price{Provider: openAIProvider, Model: "gpt-realtime-mini", Rates: mini}, openAICited},
		{Price{Provider: openAIProvider, Model: "gpt-realtime-2.1-mini", Rates: mini}, openAIPage},
		// 0.034 and 0.017 USD a minute, rounded up
		{Price{Provider: openAIProvider, Model: "gpt-realtime-translate", Rates: Rates{Milliseconds: 566_667}}, openAIPage},
		{Price{Provider: openAIProvider, Model: "gpt-realtime-whisper", Rates: Rates{Milliseconds: 283_334}}, openAIPage},
	}
}

// openAISoundAndPictures are the models of transcriptions, speech and images. For
// tts-1 the in_text rate is per million characters, as its provider counts; the
// pictures that a model makes are priced as its text.
func openAISoundAndPictures() []ListPrice {
	var list []ListPrice
	for _, model := range []struct {
		name   string
		rates  Rates
		source string
	}{
		{"gpt-4o-transcribe", Rates{InText: 2_500_000, InAudio: 2_500_000, OutText: 10_000_000}, openAIPage},
		{"gpt-4o-mini-transcribe", Rates{InText: 1_250_000, InAudio: 1_250_000, OutText: 5_000_000}, openAIPage},
		{"tts-1", Rates{InText: 15_000_000}, openAIPage},
		{"tts-1-hd", Rates{InText: 30_000_000}, openAIPage},
		{"gpt-4o-mini-tts", Rates{InText: 600_000, OutAudio: 12_000_000}, openAIPage},
		{"gpt-image-1", Rates{InText: 5_000_000, InCachedText: 1_250_000, InImage: 10_000_000, InCachedImage: 2_500_000, OutText: 40_000_000}, openAIPage},
		{"gpt-image-1-mini", Rates{InText: 2_000_000, InCachedText: 200_000, InImage: 2_500_000, InCachedImage: 250_000, OutText: 8_000_000}, openAIPage},
	} {
		list = append(list, ListPrice{Price{Provider: openAIProvider, Model: model.name, Rates: model.rates}, model.source})
	}
	return list
}

// anthropicMessages are the models of messages. What is written to a cache costs
// 1.25 times the input for 5 minutes and twice for an hour; what is read from one a
// tenth, or less where noted.
func anthropicMessages() []ListPrice {
	var list []ListPrice
	for _, group := range []struct {
		models        []string
		in, read, out int64 // micro-USD per million tokens
		feature       string
		source        string
	}{
		{[]string{"claude-fable-5-1"}, 10_000_000, 250_000, 50_000_000, FeatureAdvancedModels, anthropicPage}, // a fortieth
		{[]string{"claude-fable-5"}, 10_000_000, 1_000_000, 50_000_000, FeatureAdvancedModels, anthropicPage},
		{[]string{"claude-opus-5-5"}, 4_000_000, 200_000, 20_000_000, FeatureAdvancedModels, anthropicCited}, // a twentieth
		{[]string{"claude-opus-5", "claude-opus-4-8", "claude-opus-4-7", "claude-opus-4-6", "claude-opus-4-5", "claude-opus-4-5-20251101"},
			5_000_000, 500_000, 25_000_000, FeatureAdvancedModels, anthropicPage},
		{[]string{"claude-opus-4-1", "claude-opus-4-1-20250805"}, 15_000_000, 1_500_000, 75_000_000, FeatureAdvancedModels, anthropicPage},
		{[]string{"claude-sonnet-5-5"}, 2_000_000, 100_000, 10_000_000, "", anthropicCited}, // a twentieth
		{[]string{"claude-sonnet-5"}, 2_000_000, 200_000, 10_000_000, "", anthropicPage},
		{[]string{"claude-sonnet-4-6", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"}, 3_000_000, 300_000, 15_000_000, "", anthropicPage},
		{[]string{"claude-haiku-4-5", "claude-haiku-4-5-20251001"}, 1_000_000, 100_000, 5_000_000, "", anthropicPage},
	} {
		rates := Rates{
			InText: group.in, InCachedText: group.read, OutText: group.out,
			InCacheWrite5m: group.in * 5 / 4, InCacheWrite1h: group.in * 2,
		}
		for _, model := range group.models {
			list = append(list, ListPrice{Price{Provider: anthropicProvider, Model: model, Rates: rates, Feature: group.feature}, group.source})
		}
	}
	return list
}
