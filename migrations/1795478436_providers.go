package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"

	"sokuji/internal/gateway"
)

// maxProviderSeconds bounds the timeouts of a provider, in seconds.
var maxProviderSeconds = gateway.MaxTimeout.Seconds()

// sealedKeyLengthMax leaves room for a token of some kilobytes, encrypted.
const sealedKeyLengthMax = 16_000

// The services behind /v1. A provider's key is encrypted before it is stored, and
// no answer shows it.
func init() {
	m.Register(func(app core.App) error {
		var kinds []string
		for _, kind := range gateway.Kinds() {
			kinds = append(kinds, string(kind))
		}
		name := requiredText("name")
		name.Pattern, name.Max, name.Presentable = `^[a-z0-9][a-z0-9_.-]*$`, 64, true
		keyName := text("key_env")
		keyName.Pattern = `^[A-Z][A-Z0-9_]*_API_KEY$`
		collection := newCollection("providers",
			name,
			&core.SelectField{Name: "kind", Values: kinds, MaxSelect: 1, Required: true},
			flag("enabled"),
			text("base_url"),
			&core.TextField{Name: "api_key", Max: sealedKeyLengthMax, Hidden: true},
			keyName,
			text("price_provider"),
			object("models"),
			object("model_map"),
			between("priority", 0, 1_000),
			between("weight", 0, 1_000),
			text("azure_api_version"),
			between("first_byte_timeout_seconds", 0, maxProviderSeconds),
			between("idle_timeout_seconds", 0, maxProviderSeconds),
			between("total_timeout_seconds", 0, maxProviderSeconds),
			createdAt(),
			updatedAt(),
		)
		collection.AddIndex("idx_providers_name", true, "name", "")
		return app.Save(collection)
	}, nil)
}

func between(name string, least, most float64) *core.NumberField {
	field := integer(name)
	field.Min, field.Max = pointer(least), pointer(most)
	return field
}
