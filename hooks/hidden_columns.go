package hooks

import "github.com/pocketbase/pocketbase/core"

// bindHiddenColumns keeps hashes and keys out of every answer. PocketBase shows hidden
// fields to superusers; a hash is of no use to them, and one answer less can leak.
func bindHiddenColumns(app core.App) {
	for collection, columns := range map[string][]string{
		sessionsCollection: {"token_hash", "token_key_hash"},
		keysCollection:     {"key_hash", "old_key_hash"},
		// encrypted, but of no more use to anybody
		providersCollection: {"api_key"},
	} {
		app.OnRecordEnrich(collection).BindFunc(func(e *core.RecordEnrichEvent) error {
			record := e.Record
			err := e.Next() // in here PocketBase shows superusers everything
			record.Hide(columns...)
			return err
		})
	}
}
