package hooks

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
	"sokuji/internal/ledger"
)

// maxKeyNameBytes bounds the name of a key.
const maxKeyNameBytes = 100

// keyBounds are the bounds of a key by their columns.
var keyBounds = map[string]string{
	"spendLimitTokens":    "spend_limit_tokens",
	"dailyBudgetTokens":   "daily_budget_tokens",
	"monthlyBudgetTokens": "monthly_budget_tokens",
	"rateLimitRpm":        "rate_limit_rpm",
	"rateLimitTpm":        "rate_limit_tpm",
}

var keyFields = []string{
	"name", "scopes", "expiresAt", "disabled", "allowedModels", "allowedIps",
	"spendLimitTokens", "dailyBudgetTokens", "monthlyBudgetTokens", "rateLimitRpm", "rateLimitTpm",
}

// keyForm is what an owner says about a key.
type keyForm struct{ body *fields }

// readKeyForm refuses fields that it does not know: a limit that is misspelled
// would be none.
func readKeyForm(e *core.RequestEvent) (keyForm, error) {
	body, err := readFields(e)
	if err != nil {
		return keyForm{}, err
	}
	return parseKeyForm(body)
}

func parseKeyForm(body *fields) (keyForm, error) {
	for name := range body.raw {
		if !slices.Contains(keyFields, name) {
			shown := strings.ToValidUTF8(name[:min(len(name), maxKeyNameBytes)], "")
			return keyForm{}, ledger.Invalid(cmp.Or(shown, "body"), fmt.Sprintf("%q is no field of an API key: the fields are %s.", shown, strings.Join(keyFields, ", ")))
		}
	}
	return keyForm{body}, nil
}

// apply sets the fields that were sent; null takes a bound away.
func (f keyForm) apply(record *core.Record) error {
	for _, name := range keyFields {
		if f.sent(name) {
			f.applyField(record, name)
		}
	}
	if f.body.err == nil && f.sent("disabled") {
		return f.applyDisabled(record)
	}
	return f.body.err
}

func (f keyForm) sent(name string) bool {
	_, sent := f.body.raw[name]
	return sent
}

func (f keyForm) applyField(record *core.Record, name string) {
	body := f.body
	switch name {
	case "name":
		record.Set("name", body.keyName())
	case "scopes":
		scopes, err := apikeys.ParseScopes(body.texts("scopes"))
		if err != nil {
			body.fail("scopes", "scopes: "+err.Error()+".")
		}
		record.Set("scopes", scopes.Strings())
	case "expiresAt":
		record.Set("expires_at", "")
		if at := body.instant("expiresAt"); !at.IsZero() {
			if !at.After(time.Now()) {
				body.fail("expiresAt", "expiresAt is over: give a time to come, or null for a key without an end.")
			}
			record.Set("expires_at", storedTime(at))
		}
	case "allowedModels":
		models, err := apikeys.ParseModels(body.texts("allowedModels"))
		if err != nil {
			body.fail("allowedModels", "allowedModels: "+err.Error()+".")
		}
		record.Set("allowed_models", models)
	case "allowedIps":
		addresses, err := apikeys.ParseAddresses(body.texts("allowedIps"))
		if err != nil {
			body.fail("allowedIps", "allowedIps: "+err.Error()+".")
		}
		record.Set("allowed_ips", addresses.Strings())
	case "disabled": // see applyDisabled
	default:
		record.Set(keyBounds[name], body.bound(name))
	}
}

// applyDisabled lets an owner take back their own no, but not an admin's.
func (f keyForm) applyDisabled(record *core.Record) error {
	disabled := f.body.flag("disabled")
	if f.body.err != nil || disabled == record.GetBool("disabled") {
		return f.body.err
	}
	if !disabled && !record.GetBool("disabled_by_owner") {
		return mayBeRotated(record)
	}
	record.Set("disabled", disabled)
	record.Set("disabled_by_owner", disabled)
	return nil
}

func (f *fields) keyName() string {
	name := strings.TrimSpace(f.text("name"))
	if name == "" || len(name) > maxKeyNameBytes || strings.ContainsFunc(name, unicode.IsControl) {
		f.fail("name", fmt.Sprintf("name must be a text of 1 to %d bytes on one line.", maxKeyNameBytes))
	}
	return name
}

// bound is a whole number from 1, or 0 for null: none.
func (f *fields) bound(name string) int64 {
	if !f.has(name) {
		return 0
	}
	value := f.integer(name)
	if f.err == nil && (value < 1 || value > ledger.MaxAmountTokens) {
		f.fail(name, name+" must be a whole number from 1 to 10^15, or null for no bound.")
	}
	return value
}

// texts is a list of texts, none for null.
func (f *fields) texts(name string) []string {
	if !f.has(name) {
		return nil
	}
	var texts []string
	if json.Unmarshal(f.raw[name], &texts) != nil {
		f.fail(name, name+" must be a list of texts.")
	}
	return texts
}

// bindKeyForm refuses what an admin's edit would break: a key whose columns cannot
// be read opens nothing, and one that was rotated since it was loaded would get its
// old hash back, because PocketBase saves every column.
func bindKeyForm(app core.App) {
	app.OnRecordUpdate(keysCollection).BindFunc(func(e *core.RecordEvent) error {
		return inTransaction(e, func(tx core.App) error {
			stored, err := tx.FindRecordById(keysCollection, e.Record.Id)
			if err != nil {
				return err
			}
			if before := e.Record.Original(); stored.GetString("key_hash") != before.GetString("key_hash") ||
				stored.GetString("updated_at") != before.GetString("updated_at") {
				return apis.NewBadRequestError("This key was changed meanwhile: load it again.", nil)
			}
			return e.Next()
		})
	})
	app.OnRecordUpdateRequest(keysCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		if err := keepKeyIdentity(e.Record); err != nil {
			return notSaved(err)
		}
		if err := checkListColumns(e.Record, scopesColumn, modelsColumn, addressesColumn); err != nil {
			return notSaved(err)
		}
		if e.Record.GetBool("disabled") && !e.Record.Original().GetBool("disabled") {
			e.Record.Set("disabled_by_owner", false) // what an admin disables, the owner does not enable
		}
		return e.Next()
	})
}

// keepKeyIdentity refuses to make another key of a row: its secret, its owner and
// what the default key is derived from. A form that knows no hashes sends them empty.
func keepKeyIdentity(record *core.Record) error {
	before := record.Original()
	for _, column := range []string{"key_hash", "old_key_hash"} {
		if record.GetString(column) == "" {
			record.Set(column, before.GetString(column))
		}
	}
	for _, column := range []string{"key_hash", "old_key_hash", "user", "is_default", "version"} {
		if record.GetString(column) != before.GetString(column) {
			return invalidColumn(column, errors.New("is never edited: delete this key, and let its user make another"))
		}
	}
	return nil
}
