package hooks

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/routine"

	"sokuji/internal/config"
	"sokuji/internal/limits"
)

const (
	// maxMailsUnderWay bounds how many mails are being handed to the mail server at
	// once. One more is not sent: its user asks again.
	maxMailsUnderWay = 32

	// mailWindow is Better Auth's for routes that send mail: AUTH_RATE_LIMIT
	// requests in it, by address and route.
	mailWindow = 60 * time.Second
	// mailboxLimit mails of one kind in mailboxWindow go to one user, wherever the
	// requests come from; what is beyond is not sent, and not said either.
	mailboxLimit  = 5
	mailboxWindow = 10 * time.Minute

	// mailDrainTime is how long a server that stops waits for mails under way.
	mailDrainTime = 5 * time.Second
)

// accountMail bounds the mails of the account routes.
type accountMail struct {
	requests  *limits.Window // by address of the client and route
	mailboxes *limits.Window // by kind of mail and user
	slots     chan struct{}  // one taken for each mail under way
	underWay  sync.WaitGroup
}

func newAccountMail(settings config.Config) (*accountMail, error) {
	perMailbox := mailboxLimit
	if settings.AuthRateLimit == 0 {
		perMailbox = 0 // the operator turned throttling off
	}
	requests, err := limits.NewWindow(limits.Config{Max: settings.AuthRateLimit, Period: mailWindow})
	if err != nil {
		return nil, err
	}
	mailboxes, err := limits.NewWindow(limits.Config{Max: perMailbox, Period: mailboxWindow})
	if err != nil {
		return nil, err
	}
	return &accountMail{requests: requests, mailboxes: mailboxes, slots: make(chan struct{}, maxMailsUnderWay)}, nil
}

// mailKind is what a mail is about, for the log and for counting.
type mailKind string

const (
	resetMail        mailKind = "password reset"
	verificationMail mailKind = "verification"
	changeEmailMail  mailKind = "change of address"
)

// sendMail sends a mail to a user behind the answer, which must neither wait for a
// mail server nor tell by its time whether there is a mail. A mail that cannot be
// sent is logged, without what stands in it.
func (s *server) sendMail(kind mailKind, record *core.Record, road mailRoad, send func(core.App, *core.Record) error) {
	logger := s.app.Logger().With(slog.String("kind", string(kind)), slog.String("user", record.Id))
	if decision := s.mail.mailboxes.Allow(string(kind)+" "+record.Id, time.Now()); !decision.Allowed {
		logger.Warn("A mail was not sent: this user got too many of them")
		return
	}
	select {
	case s.mail.slots <- struct{}{}:
	default:
		logger.Error("A mail was not sent: too many are under way already")
		return
	}
	record.SetRaw(mailRoadKey, road)
	routine.FireAndForget(func() {
		defer func() { <-s.mail.slots }()
		if err := send(s.app, record); err != nil {
			logger.Error("A mail was not sent", slog.Any("error", err))
		}
	}, &s.mail.underWay)
}

// drain waits for the mails under way, but for no mail server that hangs.
func (m *accountMail) drain(limit time.Duration) {
	done := make(chan struct{})
	go func() {
		m.underWay.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(limit):
	}
}

// warnWithoutMail tells an operator at start that nobody gets mail yet.
func warnWithoutMail(app core.App) {
	if !app.Settings().SMTP.Enabled {
		fmt.Println("No mail server is set: password resets, verifications and codes reach nobody, unless this machine has a working sendmail. Set one in the dashboard under Settings, Mail settings.")
	}
}
