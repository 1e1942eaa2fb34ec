package sqlitestore

import (
	"time"

	"github.com/pocketbase/dbx"

	"sokuji/internal/ledger"
)

// CreateWallet adds an empty wallet inside a transaction that the caller already
// holds, so that a user and its wallet appear together or not at all.
func CreateWallet(tx dbx.Builder, subject ledger.Subject, now time.Time) error {
	_, err := tx.NewQuery(insertWallet).Bind(dbx.Params{
		"id":           subject.ID,
		"subject_type": string(subject.Type),
		"now":          formatTime(now),
	}).Execute()
	return err
}
