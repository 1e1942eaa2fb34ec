package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/config"
	"sokuji/internal/d1import"
	"sokuji/internal/datalock"
)

// bindBackups keeps files out of backups and in their place at a restore: the
// lock, which a running process holds, and the secret and what an import that was
// given up has left, so that a backup that gets into the wrong hands signs nobody in.
func bindBackups(app core.App) {
	exclude := func(e *core.BackupEvent) error {
		e.Exclude = append(e.Exclude, datalock.FileName, config.SecretFileName)
		e.Exclude = append(e.Exclude, d1import.StagingFiles()...)
		return e.Next()
	}
	app.OnBackupCreate().BindFunc(exclude)
	app.OnBackupRestore().BindFunc(exclude)
}
