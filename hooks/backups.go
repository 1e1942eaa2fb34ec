package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/config"
	"sokuji/internal/datalock"
)

// bindBackups keeps two files out of backups and in their place at a restore:
// the lock, which a running process holds, and the secret, so that a backup that
// gets into the wrong hands signs nobody in.
func bindBackups(app core.App) {
	exclude := func(e *core.BackupEvent) error {
		e.Exclude = append(e.Exclude, datalock.FileName, config.SecretFileName)
		return e.Next()
	}
	app.OnBackupCreate().BindFunc(exclude)
	app.OnBackupRestore().BindFunc(exclude)
}
