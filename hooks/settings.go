package hooks

import (
	"encoding/json"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/config"
)

// applySettings mirrors the operator's configuration into PocketBase's settings,
// which are what its mails and its IP lookups read. Trusted proxy headers are the
// configuration's alone: an empty list takes back what an earlier start trusted.
// What else the configuration does not name stays as an admin left it.
func applySettings(app core.App, configured config.Config) error {
	settings := app.Settings()
	before, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	if settings.Meta.AppName == pocketBaseAppName {
		settings.Meta.AppName = appName
	}
	if configured.PublicURL != "" {
		settings.Meta.AppURL = configured.PublicURL
	}
	settings.TrustedProxy.Headers = configured.TrustedProxyHeaders
	after, err := json.Marshal(settings)
	if err != nil || string(before) == string(after) {
		return err // saving resets PocketBase's rate limiters, so not without need
	}
	if err := app.Save(settings); err != nil {
		return fmt.Errorf("save the settings: %w", err)
	}
	return nil
}

const (
	appName           = "Sokuji"
	pocketBaseAppName = "Acme"
)
