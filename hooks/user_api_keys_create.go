package hooks

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
	"sokuji/internal/ledger"
)

const (
	// featureManyKeys is the plan's feature for more than one named key.
	featureManyKeys = "api_access"
	// maxNamedKeys bounds the named keys of one user: every key is held in memory.
	maxNamedKeys = 100
)

// userAPIKeyCreate makes a named key. Its answer is the only one that shows it.
func (s *server) userAPIKeyCreate(e *core.RequestEvent) error {
	c, err := requireUser(e)
	if err != nil {
		return err
	}
	form, err := readKeyForm(e)
	if err != nil {
		return err
	}
	if !form.body.has("name") {
		return ledger.Invalid("name", "name is missing: say what the key is for.")
	}
	key, err := apikeys.Generate(rand.Reader)
	if err != nil {
		return err
	}
	most, err := s.namedKeysOf(e, c.userID)
	if err != nil {
		return err
	}
	var id string
	err = s.app.RunInTransaction(func(tx core.App) error {
		if err := roomForKey(tx, c.userID, most); err != nil {
			return err
		}
		collection, err := tx.FindCachedCollectionByNameOrId(keysCollection)
		if err != nil {
			return err
		}
		record := core.NewRecord(collection)
		record.Set("user", c.userID)
		record.Set("scopes", apikeys.DefaultScopes().Strings())
		replaceKey(record, key, 0, time.Now())
		if err := form.apply(record); err != nil {
			return err
		}
		if err := tx.Save(record); err != nil {
			return err
		}
		id = record.Id
		return nil
	})
	if err != nil {
		return err
	}
	return s.showKey(e, http.StatusCreated, id, key.Reveal())
}

// namedKeysOf is how many named keys the plan of a user allows.
func (s *server) namedKeysOf(e *core.RequestEvent, userID string) (int64, error) {
	subject := ledger.UserSubject(userID)
	granted, err := s.entitlementOf(e.Request.Context(), subject)
	if err != nil {
		return 0, err
	}
	if slices.Contains(s.featuresOf(subject, granted), featureManyKeys) {
		return maxNamedKeys, nil
	}
	return 1, nil
}

func roomForKey(tx core.App, userID string, most int64) error {
	count, err := tx.CountRecords(keysCollection, dbx.HashExp{"user": userID, "is_default": false})
	if err != nil || count < most {
		return err
	}
	if most == 1 {
		return forbidden("Your plan allows one named API key: more need the feature " + featureManyKeys + ". Delete the key you have, or change the plan.")
	}
	return forbidden(fmt.Sprintf("At most %d named API keys are possible: delete one first.", most))
}
