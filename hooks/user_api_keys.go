package hooks

import (
	"database/sql"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// keyJSON is a key as its owner sees it. The key itself is there once, in the
// answer that makes it.
type keyJSON struct {
	ID                   string   `json:"id"`
	Name                 string   `json:"name"`
	Prefix               string   `json:"prefix"`
	IsDefault            bool     `json:"isDefault"`
	Scopes               []string `json:"scopes"`
	ExpiresAt            *string  `json:"expiresAt"`
	Disabled             bool     `json:"disabled"`
	SpendLimitTokens     *int64   `json:"spendLimitTokens"`
	SpentTokens          int64    `json:"spentTokens"`
	HeldTokens           int64    `json:"heldTokens"`
	DailyBudgetTokens    *int64   `json:"dailyBudgetTokens"`
	SpentTodayTokens     int64    `json:"spentTodayTokens"`
	MonthlyBudgetTokens  *int64   `json:"monthlyBudgetTokens"`
	SpentThisMonthTokens int64    `json:"spentThisMonthTokens"`
	RateLimitRpm         *int64   `json:"rateLimitRpm"`
	RateLimitTpm         *int64   `json:"rateLimitTpm"`
	AllowedModels        []string `json:"allowedModels"`
	AllowedIps           []string `json:"allowedIps"`
	OldKeyExpiresAt      *string  `json:"oldKeyExpiresAt"`
	LastUsedAt           *string  `json:"lastUsedAt"`
	CreatedAt            string   `json:"createdAt"`
	APIKey               string   `json:"apiKey,omitempty"`
}

// listedKey is a row of api_keys with what the key has spent.
type listedKey struct {
	keyRow
	Name       string `db:"name"`
	Prefix     string `db:"prefix"`
	IsDefault  bool   `db:"is_default"`
	LastUsedAt string `db:"last_used_at"`
	CreatedAt  string `db:"created_at"`

	Tokens      int64  `db:"tokens"`
	HeldTokens  int64  `db:"held_tokens"`
	Day         string `db:"day"`
	DayTokens   int64  `db:"day_tokens"`
	Month       string `db:"month"`
	MonthTokens int64  `db:"month_tokens"`
}

// userAPIKeys lists the caller's keys, oldest first, the default one included.
func (s *server) userAPIKeys(e *core.RequestEvent) error {
	c, err := requireUser(e)
	if err != nil {
		return err
	}
	rows, err := s.listKeys(dbx.HashExp{"user": c.userID})
	if err != nil {
		return err
	}
	shown := make([]keyJSON, 0, len(rows))
	for _, row := range rows {
		shown = append(shown, row.show(time.Now()))
	}
	return e.JSON(http.StatusOK, map[string]any{"apiKeys": shown})
}

func (s *server) listKeys(condition dbx.Expression) (rows []listedKey, err error) {
	columns := append([]string{"name", "prefix", "is_default", "last_used_at", "created_at"}, keyColumns...)
	for _, number := range []string{"tokens", "held_tokens", "day_tokens", "month_tokens"} {
		columns = append(columns, "COALESCE("+number+", 0) AS "+number)
	}
	columns = append(columns, "COALESCE(day, '') AS day", "COALESCE(month, '') AS month")
	err = s.app.DB().Select(columns...).From(keysCollection).LeftJoin("api_key_spending", dbx.NewExp("key_id = id")).
		Where(condition).OrderBy("created_at", "id").All(&rows)
	return rows, err
}

// showKey reads a key again after a change and answers with it.
func (s *server) showKey(e *core.RequestEvent, status int, id, secret string) error {
	rows, err := s.listKeys(dbx.HashExp{"id": id})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return noSuchKey() // it was deleted meanwhile
	}
	shown := rows[0].show(time.Now())
	shown.APIKey = secret
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(status, shown)
}

func (k listedKey) show(now time.Time) keyJSON {
	spent := ledger.KeySpending{
		Tokens: k.Tokens, HeldTokens: k.HeldTokens, Day: k.Day, DayTokens: k.DayTokens, Month: k.Month, MonthTokens: k.MonthTokens,
	}.At(now)
	shown := keyJSON{
		ID: k.ID, Name: k.Name, Prefix: k.Prefix, IsDefault: k.IsDefault, Disabled: k.Disabled,
		Scopes: textsOrNone("scopes", k.Scopes), AllowedModels: textsOrNone("allowed_models", k.AllowedModels), AllowedIps: textsOrNone("allowed_ips", k.AllowedIPs),
		SpendLimitTokens: boundOrNil(k.SpendLimitTokens), SpentTokens: spent.Tokens, HeldTokens: spent.HeldTokens,
		DailyBudgetTokens: boundOrNil(k.DailyBudgetTokens), SpentTodayTokens: spent.DayTokens,
		MonthlyBudgetTokens: boundOrNil(k.MonthlyBudgetTokens), SpentThisMonthTokens: spent.MonthTokens,
		RateLimitRpm: boundOrNil(k.RateLimitRPM), RateLimitTpm: boundOrNil(k.RateLimitTPM),
		ExpiresAt: instantOrNil(k.ExpiresAt), LastUsedAt: instantOrNil(k.LastUsedAt),
	}
	if created := instantOrNil(k.CreatedAt); created != nil {
		shown.CreatedAt = *created
	}
	if ends, err := storedInstant(k.OldKeyExpiresAt); err == nil && k.OldKeyHash != "" && ends.After(now) {
		shown.OldKeyExpiresAt = instantOrNil(k.OldKeyExpiresAt)
	}
	return shown
}

// textsOrNone shows a list, empty where the column holds none that can be read:
// such a key opens nothing, and the log says why.
func textsOrNone(column string, stored sql.NullString) []string {
	texts, err := storedTexts(column, stored)
	if err != nil || texts == nil {
		return []string{}
	}
	return texts
}

func boundOrNil(bound int64) *int64 {
	if bound == 0 {
		return nil
	}
	return &bound
}

func instantOrNil(stored string) *string {
	at, err := storedInstant(stored)
	if err != nil {
		return nil
	}
	return textOrNil(isoTime(at))
}

func noSuchKey() error {
	return &refusal{
		status: http.StatusNotFound, code: "not_found", title: "Not found",
		message: "You have no API key with this id: GET /api/user/api-keys lists them.", field: "id",
	}
}
