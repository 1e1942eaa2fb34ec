package hooks

import (
	"time"

	"github.com/pocketbase/pocketbase/tools/types"
)

// isoTime writes an instant as JavaScript's toISOString does.
func isoTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// storedTime writes an instant as PocketBase stores it.
func storedTime(t time.Time) string {
	return t.UTC().Format(types.DefaultDateLayout)
}

// textOrNil shows an empty column as null, as the original did.
func textOrNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
