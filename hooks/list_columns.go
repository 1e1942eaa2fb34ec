package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
)

// listColumn is a JSON column that holds a list of texts. Whoever reads it takes
// what is none for nothing at all, so an admin is told before it is saved.
type listColumn struct {
	name    string
	example string
	check   func(texts []string) error
}

var (
	modelsColumn = listColumn{"allowed_models", `["gpt-4o", "gpt-4o-*"], or empty for all`, func(texts []string) error {
		_, err := apikeys.ParseModels(texts)
		return err
	}}
	addressesColumn = listColumn{"allowed_ips", `["203.0.113.7", "10.0.0.0/8"], or empty for all`, func(texts []string) error {
		_, err := apikeys.ParseAddresses(texts)
		return err
	}}
	scopesColumn = listColumn{"scopes", `["gateway", "wallet:read"]`, func(texts []string) error {
		if len(texts) == 0 {
			return nil // a key that opens nothing
		}
		_, err := apikeys.ParseScopes(texts)
		return err
	}}
	featuresColumn = listColumn{"features", `["basic", "advanced_models"]`, func(texts []string) error {
		for _, text := range texts {
			if text == "" || strings.TrimSpace(text) != text {
				return fmt.Errorf("%.40q is not the name of a feature: write it without spaces around it", text)
			}
		}
		return nil
	}}
)

// checkListColumns checks the lists that a request changes. A field that was emptied
// in the dashboard comes as an empty text, and is stored as none.
func checkListColumns(record *core.Record, columns ...listColumn) error {
	for _, column := range columns {
		stored := record.GetString(column.name)
		if !record.IsNew() && stored == record.Original().GetString(column.name) {
			continue
		}
		if text := strings.TrimSpace(stored); text == "" || text == `""` {
			record.Set(column.name, nil)
			continue
		}
		var texts []string
		if json.Unmarshal([]byte(stored), &texts) != nil {
			return invalidColumn(column.name, errors.New("must be a list of texts, such as "+column.example))
		}
		if err := column.check(texts); err != nil {
			return invalidColumn(column.name, fmt.Errorf("has an entry that cannot be: %w", err))
		}
	}
	return nil
}

// notSaved answers a request whose record is refused; data names the field.
func notSaved(err error) error {
	return apis.NewBadRequestError("The record was not saved.", err)
}
