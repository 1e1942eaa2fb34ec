package usagearchive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"runtime"
)

// plainID is an id that may be part of a file's name. Imported rows can have any.
var plainID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// maxSameNames bounds how many archives may begin with the same id: a row comes
// back only when somebody imports it again.
const maxSameNames = 100

// freeName finds a name for an archive that no manifest has.
func (a *Archiver) freeName(ctx context.Context, firstID string) (string, error) {
	for n := 1; n <= maxSameNames; n++ {
		name := fileName(firstID, n)
		isTaken, err := a.store.HasArchive(ctx, name)
		if err != nil {
			return "", err
		}
		if !isTaken {
			return name, nil
		}
	}
	return "", fmt.Errorf("usage row %q was archived %d times already: it keeps coming back, find out who imports it", firstID, maxSameNames)
}

func fileName(firstID string, n int) string {
	if !plainID.MatchString(firstID) {
		sum := sha256.Sum256([]byte(firstID))
		firstID = hex.EncodeToString(sum[:16])
	}
	if n > 1 {
		return fmt.Sprintf("usage-%s-%d.jsonl.gz", firstID, n)
	}
	return "usage-" + firstID + ".jsonl.gz"
}

// syncFolder brings the names in a folder to the disk. Windows does that by
// itself, and cannot open a folder for it.
func syncFolder(path string) (err error) {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	err = folder.Sync()
	if closeErr := folder.Close(); err == nil {
		err = closeErr
	}
	return err
}
