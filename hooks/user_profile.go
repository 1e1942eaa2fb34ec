package hooks

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// profile is a user as the original's profile shows one.
type profile struct {
	ID           string  `json:"id"`
	Email        string  `json:"email"`
	Name         string  `json:"name"`
	Image        *string `json:"image"`
	FirstName    *string `json:"firstName"`
	LastName     *string `json:"lastName"`
	Subscription string  `json:"subscription"`
	TokenQuota   int64   `json:"tokenQuota"`
	TokensUsed   int64   `json:"tokensUsed"`
	CreatedAt    string  `json:"createdAt"`
}

// userProfile shows the caller's profile.
func (s *server) userProfile(e *core.RequestEvent) error {
	c, err := requireUser(e)
	if err != nil {
		return err
	}
	return s.writeProfile(e, c, e.Auth)
}

// userProfileUpdate changes the caller's names; fields that were not sent stay.
func (s *server) userProfileUpdate(e *core.RequestEvent) error {
	c, err := requireUser(e)
	if err != nil {
		return err
	}
	form, err := readProfileForm(e)
	if err != nil {
		return err
	}
	record, err := form.save(e.App, c.userID)
	if err != nil {
		return err
	}
	return s.writeProfile(e, c, record)
}

func (s *server) writeProfile(e *core.RequestEvent, c caller, record *core.Record) error {
	ctx := e.Request.Context()
	subject := ledger.UserSubject(c.userID)
	granted, err := s.entitlementOf(ctx, subject)
	if err != nil {
		return err
	}
	used, err := s.store.UsedTokens(ctx, subject, "")
	if err != nil {
		return err
	}
	var names struct {
		First string `db:"first_name"`
		Last  string `db:"last_name"`
	}
	err = e.App.DB().Select("first_name", "last_name").From("app_user").
		Where(dbx.HashExp{"better_auth_user_id": c.userID}).One(&names)
	if err != nil {
		return fmt.Errorf("read app_user: %w", err)
	}
	return e.JSON(http.StatusOK, map[string]profile{"user": {
		ID:           record.Id,
		Email:        record.Email(),
		Name:         record.GetString("name"),
		Image:        textOrNil(record.GetString("image")),
		FirstName:    textOrNil(names.First),
		LastName:     textOrNil(names.Last),
		Subscription: granted.planID,
		TokenQuota:   granted.monthlyQuotaTokens,
		TokensUsed:   used,
		CreatedAt:    isoTime(record.GetDateTime("created").Time()),
	}})
}

// maxNameCharacters bounds each name of a profile.
const maxNameCharacters = 255

// profileForm holds the names to change; nil ones stay.
type profileForm struct {
	name, firstName, lastName *string
}

func readProfileForm(e *core.RequestEvent) (profileForm, error) {
	body, err := readFields(e)
	if err != nil {
		return profileForm{}, err
	}
	form := profileForm{
		name: body.name("name"), firstName: body.name("firstName"), lastName: body.name("lastName"),
	}
	return form, body.err
}

// name reads a name that may be cleared with an empty text or null.
func (f *fields) name(field string) *string {
	if _, sent := f.raw[field]; !sent {
		return nil
	}
	text := strings.TrimSpace(f.text(field))
	if utf8.RuneCountInString(text) > maxNameCharacters {
		f.fail(field, fmt.Sprintf("%s is too long: at most %d characters.", field, maxNameCharacters))
	}
	return &text
}

func (form profileForm) save(app core.App, userID string) (*core.Record, error) {
	var record *core.Record
	err := app.RunInTransaction(func(tx core.App) error {
		var err error
		if record, err = tx.FindRecordById(usersCollection, userID); err != nil {
			return err
		}
		if form.name != nil {
			record.Set("name", *form.name)
			if err := tx.Save(record); err != nil {
				return err
			}
		}
		return form.saveAppUser(tx, userID)
	})
	return record, err
}

func (form profileForm) saveAppUser(tx core.App, userID string) error {
	changes := dbx.Params{"updated_at": storedTime(time.Now())}
	if form.firstName != nil {
		changes["first_name"] = *form.firstName
	}
	if form.lastName != nil {
		changes["last_name"] = *form.lastName
	}
	_, err := tx.DB().Update("app_user", changes, dbx.HashExp{"better_auth_user_id": userID}).Execute()
	return err
}
