package hooks

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/tools/types"

	"sokuji/internal/apikeys"
)

var keyColumns = []string{
	"id", "user", "key_hash", "scopes", "expires_at", "disabled", "old_key_hash", "old_key_expires_at",
	"spend_limit_tokens", "daily_budget_tokens", "monthly_budget_tokens", "rate_limit_rpm", "rate_limit_tpm",
	"allowed_models", "allowed_ips",
}

// keyRow is a row of api_keys as the checker needs it.
type keyRow struct {
	ID              string         `db:"id"`
	User            string         `db:"user"`
	KeyHash         string         `db:"key_hash"`
	Scopes          sql.NullString `db:"scopes"`
	ExpiresAt       string         `db:"expires_at"`
	Disabled        bool           `db:"disabled"`
	OldKeyHash      string         `db:"old_key_hash"`
	OldKeyExpiresAt string         `db:"old_key_expires_at"`

	SpendLimitTokens    int64          `db:"spend_limit_tokens"`
	DailyBudgetTokens   int64          `db:"daily_budget_tokens"`
	MonthlyBudgetTokens int64          `db:"monthly_budget_tokens"`
	RateLimitRPM        int64          `db:"rate_limit_rpm"`
	RateLimitTPM        int64          `db:"rate_limit_tpm"`
	AllowedModels       sql.NullString `db:"allowed_models"`
	AllowedIPs          sql.NullString `db:"allowed_ips"`
}

// hashedGrant is what the bearer of one key gets.
type hashedGrant struct {
	hash  apikeys.Hash
	grant apikeys.Grant
}

// grants are those of the key, and of the one before it while that still opens.
func (r keyRow) grants() ([]hashedGrant, error) {
	grant, err := r.grant()
	if err != nil {
		return nil, err
	}
	hash, err := apikeys.ParseHash(r.KeyHash)
	if err != nil {
		return nil, err
	}
	grants := []hashedGrant{{hash, grant}}
	if r.OldKeyHash == "" {
		return grants, nil
	}
	if hash, err = apikeys.ParseHash(r.OldKeyHash); err != nil {
		return nil, err
	}
	ends, err := storedInstant(r.OldKeyExpiresAt)
	if err != nil {
		return nil, err
	}
	if grant.ExpiresAt.IsZero() || ends.Before(grant.ExpiresAt) {
		grant.ExpiresAt = ends
	}
	return append(grants, hashedGrant{hash, grant}), nil
}

func (r keyRow) grant() (grant apikeys.Grant, err error) {
	grant = apikeys.Grant{ID: r.ID, UserID: r.User, Disabled: r.Disabled}
	scopes, err := storedTexts("scopes", r.Scopes)
	if err != nil {
		return grant, err
	}
	if grant.Scopes, err = apikeys.ParseScopes(scopes); err != nil {
		return grant, err
	}
	if r.ExpiresAt != "" {
		if grant.ExpiresAt, err = storedInstant(r.ExpiresAt); err != nil {
			return grant, err
		}
	}
	grant.Limits, err = r.limits()
	return grant, err
}

// limits are nil for a key without any, as most are.
func (r keyRow) limits() (*apikeys.Limits, error) {
	models, err := storedTexts("allowed_models", r.AllowedModels)
	if err != nil {
		return nil, err
	}
	addresses, err := storedTexts("allowed_ips", r.AllowedIPs)
	if err != nil {
		return nil, err
	}
	limits := &apikeys.Limits{
		SpendTokens: r.SpendLimitTokens, DailyBudgetTokens: r.DailyBudgetTokens, MonthlyBudgetTokens: r.MonthlyBudgetTokens,
		RequestsPerMinute: r.RateLimitRPM, TokensPerMinute: r.RateLimitTPM,
	}
	if limits.Models, err = apikeys.ParseModels(models); err != nil {
		return nil, err
	}
	if limits.Addresses, err = apikeys.ParseAddresses(addresses); err != nil {
		return nil, err
	}
	if limits.IsZero() {
		return nil, nil
	}
	return limits, nil
}

// storedTexts reads a JSON column that is a list of texts, or nothing.
func storedTexts(column string, stored sql.NullString) (texts []string, err error) {
	if !stored.Valid || stored.String == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(stored.String), &texts); err != nil {
		return nil, fmt.Errorf("%s: %w", column, err)
	}
	return texts, nil
}

func storedInstant(text string) (time.Time, error) {
	return time.Parse(types.DefaultDateLayout, text)
}
