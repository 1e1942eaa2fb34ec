package hooks

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/config"
	"sokuji/internal/gateway"
)

const providersCollection = "providers"

// loadProviders reads all providers into memory: the rows that are enabled, and
// those of the environment where no row has their name. A row that makes no sense
// serves nothing, and does not keep the server from starting.
func (s *server) loadProviders() error {
	s.providersMutex.Lock() // the last to read is the last to set
	defer s.providersMutex.Unlock()
	records, err := s.app.FindAllRecords(providersCollection)
	if err != nil {
		return fmt.Errorf("read the providers: %w", err)
	}
	var providers []gateway.Provider
	named := make(map[string]bool)
	for _, record := range records {
		named[record.GetString("name")] = true
		if !record.GetBool("enabled") {
			continue
		}
		provider, err := s.providerOf(record)
		if err != nil {
			s.app.Logger().Error("A provider serves nothing because its row cannot be read",
				slog.String("provider", record.GetString("name")), slog.Any("error", err))
			continue
		}
		providers = append(providers, provider)
	}
	for _, provider := range environmentProviders(s.config.Gateway) {
		if !named[provider.Name] {
			providers = append(providers, provider)
		}
	}
	s.providers.Store(&providers)
	return nil
}

// environmentProviders exist without a row.
func environmentProviders(settings config.Gateway) []gateway.Provider {
	var providers []gateway.Provider
	for _, candidate := range []struct {
		kind gateway.Kind
		set  config.EnvironmentProvider
	}{{gateway.OpenAI, settings.OpenAI}, {gateway.Anthropic, settings.Anthropic}} {
		if !candidate.set.IsSet() {
			continue
		}
		address, err := providerAddress(candidate.kind, candidate.set.BaseURL)
		if err != nil {
			continue // config has refused it before
		}
		providers = append(providers, gateway.Provider{
			Name: string(candidate.kind), Kind: candidate.kind, BaseURL: address, Key: candidate.set.Key,
			PriceProvider: string(candidate.kind), Timeouts: gateway.Timeouts{}.OrDefaults(),
		})
	}
	return providers
}

func (s *server) providerOf(record *core.Record) (gateway.Provider, error) {
	provider := gateway.Provider{
		Name:          record.GetString("name"),
		Kind:          gateway.Kind(record.GetString("kind")),
		APIVersion:    record.GetString("azure_api_version"),
		PriceProvider: priceProvider(record),
		Priority:      record.GetInt("priority"),
		Weight:        record.GetInt("weight"),
		Timeouts: gateway.Timeouts{
			FirstByte: seconds(record, "first_byte_timeout_seconds"),
			Idle:      seconds(record, "idle_timeout_seconds"),
			Total:     seconds(record, "total_timeout_seconds"),
		}.OrDefaults(),
	}
	provider.Key, provider.KeyError = s.providerKey(record)
	var errs [3]error
	provider.BaseURL, errs[0] = providerAddress(provider.Kind, record.GetString("base_url"))
	provider.Models, errs[1] = providerModels(record)
	provider.ModelMap, errs[2] = providerModelMap(record)
	return provider, cmp.Or(errs[:]...)
}

// priceProvider is whose prices hold: what the row says, else those of the vendor
// whose models a provider of this kind serves, else the row's own.
func priceProvider(record *core.Record) string {
	if named := record.GetString("price_provider"); named != "" {
		return named
	}
	switch kind := gateway.Kind(record.GetString("kind")); kind {
	case gateway.OpenAI, gateway.Azure:
		return string(gateway.OpenAI)
	case gateway.Anthropic:
		return string(gateway.Anthropic)
	}
	return record.GetString("name")
}

// providerKey decrypts the stored key, or reads the variable that the row names.
func (s *server) providerKey(record *core.Record) (config.Secret, error) {
	if name := record.GetString("key_env"); name != "" {
		if err := s.checkKeyName(record); err != nil {
			return config.Secret{}, fmt.Errorf("key_env %w", err) // the environment may have changed since it was saved
		}
		value := os.Getenv(name)
		if value == "" {
			return config.Secret{}, fmt.Errorf("the environment has no %s, which the provider names in key_env", name)
		}
		return config.NewSecret(value), nil
	}
	sealed := record.GetString("api_key")
	if sealed == "" {
		return config.Secret{}, nil
	}
	key, err := s.vault.Open(sealed, providerKeyPlace)
	return config.NewSecret(key), err
}

func seconds(record *core.Record, column string) time.Duration {
	return time.Duration(record.GetInt(column)) * time.Second
}

// providerNamed finds a provider by its name.
func (s *server) providerNamed(name string) (gateway.Provider, bool) {
	providers := *s.providers.Load()
	i := slices.IndexFunc(providers, func(p gateway.Provider) bool { return p.Name == name })
	if i < 0 {
		return gateway.Provider{}, false
	}
	return providers[i], true
}

// bindProviderCache puts an admin's change in force without a restart.
func bindProviderCache(app core.App, s *server) {
	reload := func(e *core.RecordEvent) error {
		if err := s.loadProviders(); err != nil {
			s.app.Logger().Error("The providers could not be read again", slog.Any("error", err))
		}
		return e.Next()
	}
	app.OnRecordAfterCreateSuccess(providersCollection).BindFunc(reload)
	app.OnRecordAfterUpdateSuccess(providersCollection).BindFunc(reload)
	app.OnRecordAfterDeleteSuccess(providersCollection).BindFunc(reload)
}
