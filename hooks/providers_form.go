package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/gateway"
)

const (
	// providerKeyPlace is what the vault binds a provider's key to.
	providerKeyPlace = "providers.api_key"
	// maxProviderModels bounds the names of models that a provider lists or maps.
	maxProviderModels = 1_000
	// maxModelBytes bounds one such name.
	maxModelBytes = 200
)

// bindProviderForm checks what an admin enters and encrypts the key before it is
// stored. The key is write-only: a form shows none, and an empty one keeps what
// is there.
func bindProviderForm(app core.App, s *server) {
	app.OnRecordCreate(providersCollection).BindFunc(func(e *core.RecordEvent) error {
		if err := s.checkProvider(e.Record); err != nil {
			return err
		}
		s.sealProviderKey(e.Record, "")
		return e.Next()
	})
	app.OnRecordUpdate(providersCollection).BindFunc(func(e *core.RecordEvent) error {
		if err := s.checkProvider(e.Record); err != nil {
			return err
		}
		if err := checkKeptKey(e.Record); err != nil {
			return err
		}
		s.sealProviderKey(e.Record, e.Record.Original().GetString("api_key"))
		return e.Next()
	})
}

// sealProviderKey encrypts a key that was entered. A key_env takes the place of a
// stored one, which is forgotten.
func (s *server) sealProviderKey(record *core.Record, stored string) {
	entered := strings.TrimSpace(record.GetString("api_key"))
	switch {
	case record.GetString("key_env") != "":
		record.Set("api_key", "")
	case entered == "":
		record.Set("api_key", stored)
	case entered != stored:
		record.Set("api_key", s.vault.Seal(entered, providerKeyPlace))
	}
}

// checkKeptKey refuses to send a stored key to a server that it was not entered
// for: whoever may edit a row, but not read its key, would so be sent the key.
func checkKeptKey(record *core.Record) error {
	before := record.Original()
	stored := before.GetString("api_key")
	entered := strings.TrimSpace(record.GetString("api_key"))
	if stored == "" || record.GetString("key_env") != "" || (entered != "" && entered != stored) {
		return nil
	}
	if providerServer(before) == providerServer(record) {
		return nil
	}
	return invalidColumn("api_key", errors.New("must be entered again, because base_url now names another server"))
}

// environmentKeys are the keys that the environment gives for one server each.
func (s *server) environmentKeys() map[string]environmentKey {
	return map[string]environmentKey{
		"OPENAI_API_KEY":    {gateway.OpenAI, s.config.Gateway.OpenAI.BaseURL},
		"ANTHROPIC_API_KEY": {gateway.Anthropic, s.config.Gateway.Anthropic.BaseURL},
	}
}

type environmentKey struct {
	kind    gateway.Kind
	baseURL string // empty: the vendor's own
}

// checkKeyName refuses to send the environment's key of one provider to another
// server: whoever may edit a row would so be sent the key.
func (s *server) checkKeyName(record *core.Record) error {
	name := record.GetString("key_env")
	key, bound := s.environmentKeys()[name]
	if !bound {
		return nil
	}
	server := serverOf(key.kind, key.baseURL)
	if server != "" && providerServer(record) == server {
		return nil
	}
	return fmt.Errorf("names %s, which is sent to %s only: name that server in base_url, or another variable whose name ends with _API_KEY", name, server)
}

// providerServer is the scheme and host that a provider's calls go to.
func providerServer(record *core.Record) string {
	return serverOf(gateway.Kind(record.GetString("kind")), record.GetString("base_url"))
}

func serverOf(kind gateway.Kind, baseURL string) string {
	address, err := providerAddress(kind, baseURL)
	if err != nil {
		return "" // a row that could send its key nowhere
	}
	return address.Scheme + "://" + strings.ToLower(address.Host)
}

// checkProvider names the first field that cannot work.
func (s *server) checkProvider(record *core.Record) error {
	kind := gateway.Kind(record.GetString("kind"))
	_, err := providerAddress(kind, record.GetString("base_url"))
	if err != nil && slices.Contains(gateway.Kinds(), kind) { // an unknown kind is refused by its own column
		return invalidColumn("base_url", err)
	}
	if _, err := providerModels(record); err != nil {
		return invalidColumn("models", err)
	}
	if _, err := providerModelMap(record); err != nil {
		return invalidColumn("model_map", err)
	}
	if err := s.checkKeyName(record); err != nil {
		return invalidColumn("key_env", err)
	}
	return nil
}

func invalidColumn(column string, err error) error {
	return validation.Errors{column: validation.NewError("validation_invalid_value", column+" "+err.Error()+".")}
}

// providerAddress reads base_url, or gives the one that a kind has by itself.
func providerAddress(kind gateway.Kind, text string) (*url.URL, error) {
	if text == "" {
		known, err := gateway.DefaultBaseURL(kind)
		if err != nil {
			return nil, err
		}
		text = known
	}
	return gateway.ParseBaseURL(text)
}

func providerModels(record *core.Record) ([]string, error) {
	var models []string
	err := readColumn(record, "models", &models)
	if err != nil {
		return nil, errors.New(`must be a list of names, such as ["gpt-4o", "gpt-4o-*"], or empty for all that have a price`)
	}
	return models, checkModels(models)
}

func providerModelMap(record *core.Record) (map[string]string, error) {
	var mapped map[string]string
	err := readColumn(record, "model_map", &mapped)
	if err != nil {
		return nil, errors.New(`must be an object from our names to the provider's, such as {"gpt-4o": "my-deployment"}`)
	}
	var names []string
	for name, own := range mapped {
		names = append(names, name, own)
	}
	return mapped, checkModels(names)
}

func checkModels(names []string) error {
	if len(names) > maxProviderModels {
		return fmt.Errorf("has %d names, and at most %d are allowed", len(names), maxProviderModels)
	}
	for _, name := range names {
		if name == "" || len(name) > maxModelBytes {
			return fmt.Errorf("has a name that is empty or longer than %d bytes", maxModelBytes)
		}
	}
	return nil
}

// readColumn decodes a JSON column; an empty one leaves the target as it is.
func readColumn(record *core.Record, name string, target any) error {
	text := strings.TrimSpace(record.GetString(name))
	if text == "" || text == `""` {
		return nil
	}
	return json.Unmarshal([]byte(text), target)
}
