package hooks

import (
	"fmt"
	"os"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/config"
)

// createFirstSuperuser makes the superuser of the configuration when there is
// none yet; later it never touches one. Without a configured one it prints the
// command to run, and never a link with a token in it.
func createFirstSuperuser(app core.App, configured config.Config) error {
	existing, err := app.CountRecords(core.CollectionNameSuperusers, dbx.Not(dbx.HashExp{
		"email": core.DefaultInstallerEmail,
	}))
	if err != nil || existing > 0 {
		return err
	}
	if configured.SuperuserEmail == "" {
		fmt.Printf("No superuser yet. Create one with: %s superuser upsert EMAIL PASSWORD --dir %s\n", os.Args[0], app.DataDir())
		return nil
	}
	superusers, err := app.FindCachedCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		return err
	}
	record := core.NewRecord(superusers)
	record.SetEmail(configured.SuperuserEmail)
	record.SetPassword(string(configured.SuperuserPassword.Bytes()))
	if err := app.Save(record); err != nil {
		return fmt.Errorf("create the superuser of SUPERUSER_EMAIL: %w", err)
	}
	return nil
}
