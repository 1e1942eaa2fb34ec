package hooks

import (
	"fmt"
	"html"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"

	"sokuji/internal/betterauth"
)

// mailRoadKey is where a record carries, on its way into PocketBase's mailer, the
// mailRoad that its mail should lead along.
const mailRoadKey = "@sokujiMailRoad"

// mailRoad turns PocketBase's mail into one that leads to Better Auth's routes.
type mailRoad struct {
	page  string // the path of PocketBase's page that the template's link leads to, up to the token
	token string // what the link carries instead of PocketBase's token; empty: that one
	to    string // the recipient, empty: PocketBase's
	// link makes the address from the token.
	link func(token string) string
}

// bindMails rewrites the links of mails that were asked for by Better Auth's
// routes. The mail itself is PocketBase's, from the collection's template, so that
// what an admin wrote there holds: a link that an admin has put in the place of
// PocketBase's own is left alone.
func bindMails(app core.App) {
	app.OnMailerRecordPasswordResetSend(usersCollection).BindFunc(redirectMail)
	app.OnMailerRecordVerificationSend(usersCollection).BindFunc(redirectMail)
	app.OnMailerRecordEmailChangeSend(usersCollection).BindFunc(redirectMail)
}

func redirectMail(e *core.MailerRecordEvent) error {
	road, ok := e.Record.GetRaw(mailRoadKey).(mailRoad)
	if !ok {
		return e.Next()
	}
	issued, _ := e.Meta["token"].(string)
	road.rewrite(e.Message, e.App.Settings().Meta.AppURL, issued)
	if err := e.Next(); err != nil {
		return fmt.Errorf("hand the mail over: %w", err)
	}
	return nil
}

// rewrite puts the link in. A mail to another address than PocketBase meant must
// not carry PocketBase's token at all: it would prove that address, unread.
func (r mailRoad) rewrite(message *mailer.Message, appURL, issued string) {
	token := r.token
	if token == "" {
		token = issued
	}
	message.HTML = strings.ReplaceAll(message.HTML, appURL+r.page+issued, html.EscapeString(r.link(token)))
	if r.to == "" {
		return
	}
	message.HTML = strings.ReplaceAll(message.HTML, issued, token)
	message.Text = strings.ReplaceAll(message.Text, issued, token)
	message.To[0].Address = r.to
}

// mailLink is an address below PUBLIC_URL. The address in the request must not
// count: whoever asks for a mail to somebody else chooses its Host header.
func (s *server) mailLink(route string, parameters ...string) string {
	return betterauth.MailLink(s.app.Settings().Meta.AppURL, route, parameters...)
}
