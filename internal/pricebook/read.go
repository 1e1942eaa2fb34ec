package pricebook

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"sokuji/internal/pricing"
)

// Bounds of a file.
const (
	MaxFileBytes = 16 << 20
	MaxPrices    = 100_000
)

// The names of the columns beside the classes, as the collection prices has them.
const (
	columnProvider = "provider"
	columnModel    = "model"
	columnMatch    = "match"
	columnFeature  = "feature"
	columnMargin   = "margin_ppm"
	columnFrom     = "effective_from"
)

// MatchPrefix and MatchExact say what a row's model is.
const (
	MatchPrefix = "prefix"
	MatchExact  = "exact"
)

// ignored are columns of an export that say nothing about the price.
var ignored = map[string]bool{
	"id": true, "source": true, "created_at": true, "collectionId": true, "collectionName": true, "expand": true,
}

// Read reads a price book from a file: JSON, a list of rows or an object with the
// list in items, as PocketBase's record API answers; or CSV with a header. The
// columns are those of the collection prices; rates are micro-USD per million. An
// error names the row and the column.
func Read(file io.Reader) ([]pricing.Price, error) {
	text, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > MaxFileBytes {
		return nil, fmt.Errorf("the file has more than %d bytes", MaxFileBytes)
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	rows, err := readRows(text)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("the file has no prices: write a list of rows, or CSV with a header")
	}
	if len(rows) > MaxPrices {
		return nil, fmt.Errorf("the file has more than %d prices", MaxPrices)
	}
	prices := make([]pricing.Price, 0, len(rows))
	for i, row := range rows {
		price, err := row.price()
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		price.ID = fmt.Sprintf("row %06d", i+1) // the later of two rows holds
		prices = append(prices, price)
	}
	return prices, nil
}

// row is the text of each column.
type row map[string]string

func readRows(text []byte) ([]row, error) {
	if len(text) > 0 && (text[0] == '[' || text[0] == '{') {
		return readJSON(text)
	}
	return readCSV(text)
}

func readJSON(text []byte) ([]row, error) {
	var listed []map[string]json.RawMessage
	if text[0] == '{' {
		var page struct {
			Items []map[string]json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(text, &page); err != nil {
			return nil, jsonError(err)
		}
		listed = page.Items
	} else if err := json.Unmarshal(text, &listed); err != nil {
		return nil, jsonError(err)
	}
	rows := make([]row, 0, len(listed))
	for i, members := range listed {
		values := row{}
		for name, value := range members {
			if ignored[name] {
				continue
			}
			plain, err := plainText(value)
			if err != nil {
				return nil, fmt.Errorf("row %d: %s %w", i+1, name, err)
			}
			values[name] = plain
		}
		rows = append(rows, values)
	}
	return rows, nil
}

func jsonError(err error) error {
	return fmt.Errorf("the file is no list of prices in JSON: %w", err)
}

// plainText is a text's content, or a number as it is written.
func plainText(value json.RawMessage) (string, error) {
	switch {
	case bytes.Equal(value, []byte("null")):
		return "", nil
	case value[0] == '"':
		var text string
		err := json.Unmarshal(value, &text)
		return text, err
	case value[0] == '-' || value[0] >= '0' && value[0] <= '9':
		return string(value), nil
	}
	return "", errors.New("must be a text or a number")
}

func readCSV(text []byte) ([]row, error) {
	reader := csv.NewReader(bytes.NewReader(text))
	reader.TrimLeadingSpace = true
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var rows []row
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		values := row{}
		for i, name := range header {
			if !ignored[name] {
				values[name] = record[i]
			}
		}
		rows = append(rows, values)
	}
}

// price reads a row. A column that is not known may be a misspelled class, and a
// price without that class would be another price.
func (r row) price() (pricing.Price, error) {
	price := pricing.Price{Provider: r[columnProvider], Model: r[columnModel], Feature: r[columnFeature]}
	if price.Provider == "" {
		return price, errors.New("provider is missing")
	}
	rates := map[pricing.Class]int64{}
	for name, value := range r {
		var err error
		switch name {
		case columnProvider, columnModel, columnFeature:
		case columnMatch:
			price.Prefix, err = isPrefix(value)
		case columnFrom:
			price.EffectiveFrom, err = parseTime(value)
		case columnMargin:
			price.MarginPPM, err = parseWhole(value)
		default:
			rates[pricing.Class(name)], err = parseRate(name, value)
		}
		if err != nil {
			return price, fmt.Errorf("%s %w", name, err)
		}
	}
	if price.Model == "" && !price.Prefix {
		return price, errors.New("model is missing")
	}
	// Rates and columns share their names, so JSON carries one to the other.
	encoded, err := json.Marshal(rates)
	if err != nil {
		return price, err
	}
	if err := json.Unmarshal(encoded, &price.Rates); err != nil {
		return price, err
	}
	return price, price.Validate()
}

func isPrefix(match string) (bool, error) {
	switch match {
	case "", MatchExact:
		return false, nil
	case MatchPrefix:
		return true, nil
	}
	return false, fmt.Errorf("must be %s or %s", MatchExact, MatchPrefix)
}

func parseRate(name, value string) (int64, error) {
	for _, class := range pricing.Classes() {
		if string(class) == name {
			return parseWhole(value)
		}
	}
	return 0, errors.New("is no column of a price")
}

func parseWhole(value string) (int64, error) {
	if value == "" {
		return 0, nil
	}
	number, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, errors.New("must be a whole number")
	}
	return number, nil
}

// timeLayouts are how a moment may be written: as stored, as the API answers, or a
// day.
var timeLayouts = []string{"2006-01-02 15:04:05.999Z07:00", time.RFC3339Nano, time.DateOnly}

func parseTime(value string) (time.Time, error) {
	if strings.TrimSpace(value) == "" {
		return time.Time{}, nil
	}
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, value); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errors.New("must be a day or a moment in UTC, such as 2026-12-01")
}
