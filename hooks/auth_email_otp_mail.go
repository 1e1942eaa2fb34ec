package hooks

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/mails"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/routine"

	"sokuji/internal/ledger"
)

// noOTPRow stands where PocketBase's mail has the id of a row of its own: codes of
// ours have none.
const noOTPRow = ""

// bindCodeMails ends PocketBase's event before it looks for that row. It comes
// after all who may want to change the mail.
func bindCodeMails(app core.App) {
	app.OnMailerRecordOTPSend(usersCollection).Bind(&hook.Handler[*core.MailerRecordEvent]{
		Id:       "sokujiCodeMail",
		Priority: 1_000_000,
		Func: func(e *core.MailerRecordEvent) error {
			if e.Meta["otpId"] != noOTPRow {
				return e.Next()
			}
			return e.Mailer.Send(e.Message)
		},
	})
}

// reserveMail takes one of the places for mails on their way. It is asked for
// every address, so that a server with too much to do says so to all alike.
func (c *emailCodes) reserveMail() (release func(), err error) {
	select {
	case c.mails <- struct{}{}:
		return func() { <-c.mails }, nil
	default:
		return nil, &refusal{
			status: http.StatusServiceUnavailable, code: string(ledger.CodeOverloaded), title: "Overloaded",
			message: "Too many mails are waiting: try again in a moment.", retryAfter: overloadedRetrySeconds,
		}
	}
}

// mailCode sends a code with the users collection's OTP template, behind the
// answer: how long it takes must not tell who has an account. release is called
// when it is done.
func (s *server) mailCode(record *core.Record, code string, release func()) {
	routine.FireAndForget(func() {
		defer release()
		if err := mails.SendRecordOTP(s.app, record, noOTPRow, code); err != nil {
			s.app.Logger().Error("A mail was not sent", slog.String("kind", "code"),
				slog.String("error", strings.ReplaceAll(err.Error(), code, "******")))
		}
	})
}

// recipient is who gets a code: the user, or somebody who is to become one.
func recipient(users *core.Collection, record *core.Record, address string) *core.Record {
	if record != nil {
		return record
	}
	stranger := core.NewRecord(users)
	stranger.SetEmail(address)
	return stranger
}
