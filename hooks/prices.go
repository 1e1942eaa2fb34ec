package hooks

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/pricing"
)

const pricesCollection = "prices"

// loadPrices reads the whole price book into memory; it is small and every
// priced use needs it.
func (s *server) loadPrices() error {
	s.pricesMutex.Lock() // the last to read is the last to set
	defer s.pricesMutex.Unlock()
	records, err := s.app.FindAllRecords(pricesCollection)
	if err != nil {
		return fmt.Errorf("read the price book: %w", err)
	}
	prices := make([]pricing.Price, 0, len(records))
	for _, record := range records {
		price, err := priceOf(record)
		if err != nil {
			return fmt.Errorf("price %s: %w", record.Id, err)
		}
		prices = append(prices, price)
	}
	s.prices.Store(pricing.NewBook(prices))
	return nil
}

func priceOf(record *core.Record) (pricing.Price, error) {
	classes := pricing.Classes()
	values := make([]int64, 0, len(classes))
	for _, class := range classes {
		values = append(values, int64(record.GetInt(string(class))))
	}
	rates, err := ratesOf(classes, values)
	return pricing.Price{
		ID:            record.Id,
		Provider:      record.GetString("provider"),
		Model:         record.GetString("model"),
		Prefix:        isPrefixPrice(record),
		Feature:       record.GetString("feature"),
		MarginPPM:     int64(record.GetInt("margin_ppm")),
		EffectiveFrom: record.GetDateTime("effective_from").Time(),
		Rates:         rates,
	}, err
}

// ratesOf puts rates to their classes. Both share their names, so JSON carries one
// to the other.
func ratesOf(classes []pricing.Class, values []int64) (rates pricing.Rates, err error) {
	named := make(map[pricing.Class]int64, len(classes))
	for i, class := range classes {
		named[class] = values[i]
	}
	encoded, err := json.Marshal(named)
	if err != nil {
		return rates, err
	}
	return rates, json.Unmarshal(encoded, &rates)
}

// bindPriceCache puts a new price in force without a restart. Rows never change,
// so nothing else has to be watched.
func bindPriceCache(app core.App, s *server) {
	app.OnRecordAfterCreateSuccess(pricesCollection).BindFunc(func(e *core.RecordEvent) error {
		if err := s.loadPrices(); err != nil {
			s.app.Logger().Error("The price book could not be read again", slog.Any("error", err))
		}
		return e.Next()
	})
}
