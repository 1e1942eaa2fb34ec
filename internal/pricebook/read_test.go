package pricebook

import (
	"strings"
	"testing"
	"time"

	"sokuji/internal/pricing"
)

func TestRead(t *testing.T) {
	t.Parallel()
	december := time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC)
	exact := pricing.Price{ID: "row 000001", Provider: "openai", Model: "gpt-4o", Rates: pricing.Rates{InText: 2_500_000, OutText: 10_000_000}, EffectiveFrom: december}
	prefix := pricing.Price{ID: "row 000002", Provider: "openai", Model: "gpt-", Prefix: true, MarginPPM: 1_100_000, Feature: "advanced_models", Rates: pricing.Rates{InText: 7}}
	tests := []struct {
		name, text string
		want       []pricing.Price
	}{
		{"CSV", "provider,model,match,feature,margin_ppm,effective_from,in_text,out_text\n" +
			"openai,gpt-4o,,,,2026-12-01,2500000,10000000\nopenai, gpt-,prefix,advanced_models,1100000,,7,\n", []pricing.Price{exact, prefix}},
		{"CSV of Windows", "\ufeffprovider,model,in_text,out_text,effective_from\r\nopenai,gpt-4o,2500000,10000000,2026-12-01 00:00:00.000Z\r\n", []pricing.Price{exact}},
		{"JSON", `[{"provider":"openai","model":"gpt-4o","in_text":2500000,"out_text":"10000000","effective_from":"2026-12-01T00:00:00Z"},
			{"provider":"openai","model":"gpt-","match":"prefix","feature":"advanced_models","margin_ppm":1100000,"in_text":7,"in_audio":null}]`, []pricing.Price{exact, prefix}},
		{"a page of the record API", ` {"page":1,"items":[{"collectionId":"c","collectionName":"prices","id":"abc","source":"the page","created_at":"2026-11-24 00:00:00.000Z",
			"provider":"openai","model":"gpt-4o","match":"exact","feature":"","margin_ppm":0,"effective_from":"2026-12-01 00:00:00.000Z","in_text":2500000,"out_text":10000000,"in_audio":0}]}`, []pricing.Price{exact}},
		{"every model", "provider,model,match,in_text\nlocal,,prefix,5\n", []pricing.Price{{ID: "row 000001", Provider: "local", Prefix: true, Rates: pricing.Rates{InText: 5}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Read(strings.NewReader(test.text))
			if err != nil || len(got) != len(test.want) {
				t.Fatalf("got %+v, %v", got, err)
			}
			for i, want := range test.want {
				if !got[i].EffectiveFrom.Equal(want.EffectiveFrom) {
					t.Errorf("row %d is in force from %v", i+1, got[i].EffectiveFrom)
				}
				got[i].EffectiveFrom = want.EffectiveFrom
				if got[i] != want {
					t.Errorf("got %+v, want %+v", got[i], want)
				}
			}
		})
	}
}

func TestReadNamesTheMistake(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                      "no prices",
		"[]":                    "no prices",
		`{}`:                    "no prices",
		"provider,model":        "no prices",
		`[{"provider":"openai"`: "no list of prices in JSON",
		`[7]`:                   "no list of prices in JSON",
		`[{"provider":"openai","model":"m","in_text":true}]`:   "row 1: in_text must be a text or a number",
		`[{"provider":"openai","model":"m","in_text":1.5}]`:    "row 1: in_text must be a whole number",
		`[{"provider":"openai","model":"m","in_text":1e9}]`:    "row 1: in_text must be a whole number",
		`[{"provider":"openai","model":"m","in_txt":5}]`:       "row 1: in_txt is no column",
		`[{"provider":"openai","model":"m","in_text":-1}]`:     "row 1: in_text must be from 0",
		`[{"provider":"openai","model":"m","margin_ppm":"x"}]`: "row 1: margin_ppm must be a whole number",
		`[{"model":"m"}]`: "row 1: provider is missing",
		"provider,model,in_text\nopenai,m,5\nopenai,,5":                   "row 2: model is missing",
		"provider,model,match\nopenai,m,contains":                         "row 1: match must be exact or prefix",
		"provider,model,effective_from\nopenai,m,tomorrow":                "row 1: effective_from must be a day",
		"provider,model\nopenai":                                          "wrong number of fields",
		"provider,model\n\"openai,m":                                      "extraneous or missing",
		"provider,model,out_image\nopenai,m,5":                            "row 1: out_image is no column",
		"provider,model,x\nopenai,m," + strings.Repeat("x", MaxFileBytes): "more than",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: got %v, want %q", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"provider,model,match,in_text\nopenai,gpt-4o,exact,5\n", `[{"provider":"openai","model":"m","in_text":"7"}]`,
		`{"items":[{"provider":"openai","model":"","match":"prefix","effective_from":"2026-12-01"}]}`, `[{"provider":"a","model":"b","in_text":`, "\ufeff\"",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		prices, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		if len(prices) == 0 {
			t.Fatal("neither prices nor an error")
		}
		for _, price := range prices {
			if price.Validate() != nil || price.Provider == "" || price.Model == "" && !price.Prefix {
				t.Fatalf("read %+v", price)
			}
		}
		Check(prices, nil, time.Time{})
	})
}
