package hooks

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
	"sokuji/internal/betterauth"
	"sokuji/internal/config"
	"sokuji/internal/limits"
)

const (
	// codeWindow is the period in which an IP, and an address, may ask for as many
	// codes as for sign-ins in 10 seconds.
	codeWindow = 60 * time.Second
	// guessWindow and guessesPerSignIn bound the guesses at all codes of one address
	// together: three attempts a code and three codes a minute would else make one
	// lucky guess in a hundred days of trying.
	guessWindow      = time.Hour
	guessesPerSignIn = 10
	// maxMailsInFlight bounds the mails that are being handed over at a time.
	maxMailsInFlight = 32
)

var errCodesClosed = betterauth.Error{
	Status: http.StatusBadRequest, Code: "EMAIL_OTP_DISABLED", Message: "Signing in by email code is not enabled",
}

// emailCodes is what the routes of mailed codes and one-time tokens share.
type emailCodes struct {
	*accounts.Verifications
	sends   *limits.Window // by IP, and by address
	checks  *limits.Window // by IP and route
	guesses *limits.Window // by address
	mails   chan struct{}
}

func newEmailCodes(settings config.Config, writer *sql.DB, secret []byte) (*emailCodes, error) {
	c := &emailCodes{
		Verifications: accounts.NewVerifications(writer, secret, time.Now),
		mails:         make(chan struct{}, maxMailsInFlight),
	}
	var errs [3]error
	c.sends, errs[0] = limits.NewWindow(limits.Config{Max: settings.AuthRateLimit, Period: codeWindow})
	c.checks, errs[1] = limits.NewWindow(limits.Config{Max: settings.AuthRateLimit, Period: codeWindow})
	c.guesses, errs[2] = limits.NewWindow(limits.Config{Max: settings.AuthRateLimit * guessesPerSignIn, Period: guessWindow})
	return c, errors.Join(errs[:]...)
}

// try spends a code, or only checks it, and answers in Better Auth's words.
func (c *emailCodes) try(ctx context.Context, purpose accounts.Purpose, address string, record *core.Record, code string, spend bool) error {
	if err := throttle(c.guesses, "code", address); err != nil {
		return err
	}
	try := c.CheckCode
	if spend {
		try = c.UseCode
	}
	err := try(ctx, purpose, address, ownerOf(record), code)
	switch {
	case errors.Is(err, accounts.ErrCodeInvalid):
		return betterauth.ErrInvalidOTP
	case errors.Is(err, accounts.ErrCodeExpired):
		return betterauth.ErrOTPExpired
	case errors.Is(err, accounts.ErrCodeAttempts):
		return betterauth.ErrTooManyAttempts
	}
	return err
}

// ownerOf is a user as codes know one; nil is nobody.
func ownerOf(record *core.Record) accounts.Owner {
	if record == nil {
		return accounts.Owner{}
	}
	return accounts.Owner{ID: record.Id, TokenKey: record.TokenKey()}
}

// findByAddress returns the user with an address, nil when there is none.
func findByAddress(app core.App, address string) (*core.Record, error) {
	record, err := app.FindAuthRecordByEmail(usersCollection, address)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return record, err
}

// expiredCodesPerStep bounds how long one clean-up step holds the write
// connection; expiredCodeSteps bounds a run.
const (
	expiredCodesPerStep = 500
	expiredCodeSteps    = 200
)

// bindCodeCleanup removes codes and tokens that nobody used, every ten minutes.
func bindCodeCleanup(app core.App, s *server) {
	app.Cron().MustAdd("sokujiCodeCleanup", "*/10 * * * *", func() {
		for range expiredCodeSteps {
			deleted, err := s.codes.DeleteExpired(context.Background(), expiredCodesPerStep)
			if err != nil {
				app.Logger().Warn("Expired codes could not be removed", slog.Any("error", err))
				return
			}
			if deleted < expiredCodesPerStep {
				return
			}
		}
	})
}
