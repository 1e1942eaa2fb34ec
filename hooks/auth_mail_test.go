package hooks

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"
	"github.com/pocketbase/pocketbase/tools/types"
)

const (
	mailDeadline = 5 * time.Second
	mailPoll     = 5 * time.Millisecond
)

// mail waits for the mail number count, counted from 1.
func (h *house) mail(count int) *mailer.Message {
	h.t.Helper()
	for deadline := time.Now().Add(mailDeadline); time.Now().Before(deadline); time.Sleep(mailPoll) {
		if sent := h.app.TestMailer.Messages(); len(sent) >= count {
			return sent[count-1]
		}
	}
	h.t.Fatalf("%d mails came, want %d", h.app.TestMailer.TotalSend(), count)
	return nil
}

// link is the only link of a mail.
func link(t *testing.T, message *mailer.Message) string {
	t.Helper()
	_, rest, found := strings.Cut(message.HTML, `href="`)
	address, _, closed := strings.Cut(rest, `"`)
	if !found || !closed || strings.Count(message.HTML, "href=") != 1 {
		t.Fatalf("the mail has not one link: %s", message.HTML)
	}
	return strings.ReplaceAll(address, "&amp;", "&")
}

// followLink requests the address of a mail from this server.
func (h *house) followLink(address string) answer {
	h.t.Helper()
	path, found := strings.CutPrefix(address, h.app.Settings().Meta.AppURL)
	if !found {
		h.t.Fatalf("%s does not lead to this server", address)
	}
	return h.do("GET", path, nobody, "")
}

// At most mailboxLimit mails of one kind go to one user in a while, wherever the
// requests come from, and the answers do not tell.
func TestMailsToOneUserAreBounded(t *testing.T) {
	h := newHouse(t, "AUTH_RATE_LIMIT", "1000")
	for range mailboxLimit + 3 {
		h.do("POST", "/api/auth/request-password-reset", nobody, object("email", aliceEmail)).want(200)
	}
	h.do("POST", "/api/auth/request-password-reset", nobody, object("email", bobEmail)).want(200)
	h.do("POST", "/api/auth/send-verification-email", nobody, object("email", aliceEmail)).want(200)
	h.mail(mailboxLimit + 2)
	to := make(map[string]int)
	for _, message := range h.app.TestMailer.Messages() {
		to[message.To[0].Address]++
	}
	if to[aliceEmail] != mailboxLimit+1 || to[bobEmail] != 1 {
		t.Errorf("mails by address: %v", to)
	}
}

// The times of mailed tokens are Better Auth's, and an admin's change of them holds
// for both roads.
func TestMailedTokensExpire(t *testing.T) {
	h := newHouse(t)
	users := h.alice.Collection()
	for name, token := range map[string]core.TokenConfig{
		"reset": users.PasswordResetToken, "verification": users.VerificationToken, "change of address": users.EmailChangeToken,
	} {
		if token.Duration != 3600 {
			t.Errorf("a token for %s lives %d seconds, want 3600", name, token.Duration)
		}
	}
	expired := func(kind string) string { return h.expiredToken(h.alice, kind) }
	h.do("POST", "/api/auth/reset-password", nobody, object("newPassword", "a newer password", "token", expired(core.TokenTypePasswordReset))).
		wantOutcome("400 INVALID_TOKEN")
	h.do("GET", "/api/auth/verify-email?token="+expired(core.TokenTypeVerification), nobody, "").wantOutcome("401 TOKEN_EXPIRED")
	h.do("GET", "/api/auth/verify-email?token="+expired(changeConfirmToken), nobody, "").wantOutcome("401 TOKEN_EXPIRED")
	if h.count("users", "verified") != 0 {
		t.Error("an expired token verified somebody")
	}
}

// A mail that was asked for before "invalidate all tokens" is worth nothing after.
func TestInvalidatingEndsMailedTokens(t *testing.T) {
	h := newHouse(t)
	h.do("POST", "/api/auth/request-password-reset", nobody, object("email", aliceEmail, "redirectTo", "/reset")).want(200)
	address := link(t, h.mail(1))
	if got := h.followLink(address).want(302).header.Get("Location"); !strings.HasPrefix(got, "/reset?token=") {
		t.Fatalf("the link leads to %s", got)
	}
	h.do("PATCH", "/api/collections/users/records/"+h.alice.Id, h.asRoot(), object("tokenKey:autogenerate", "")).want(200)
	if got := h.followLink(address).want(302).header.Get("Location"); got != "/reset?error=INVALID_TOKEN" {
		t.Errorf("the link leads to %s", got)
	}
}

// A reset proves the address, as on PocketBase's road: whoever signed up with it
// unproven loses the keys too.
func TestAResetVerifiesAndEndsTheKeysOfAnUnprovenAccount(t *testing.T) {
	for name, verified := range map[string]bool{"unproven": false, "proven": true} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.mint(h.alice, 10)
			if verified {
				h.mustExecute(`UPDATE users SET verified = TRUE WHERE id = {:id}`, "id", h.alice.Id)
			}
			key := h.defaultKey()
			h.do("POST", "/api/auth/request-password-reset", nobody, object("email", aliceEmail, "redirectTo", "/reset")).want(200)
			_, token, _ := strings.Cut(h.followLink(link(t, h.mail(1))).header.Get("Location"), "token=")
			h.do("POST", "/api/auth/reset-password", nobody, object("newPassword", "a newer password", "token", token)).want(200)
			if h.count("users", "verified AND id = {:id}", "id", h.alice.Id) != 1 {
				t.Error("the address is not verified")
			}
			want := 401
			if verified {
				want = 200
			}
			h.do("GET", "/api/wallet/balance", bearer(key), "").want(want)
		})
	}
}

func TestResetsFollowTheAdminsRules(t *testing.T) {
	h := newHouse(t)
	token, err := h.alice.NewPasswordResetToken()
	if err != nil {
		t.Fatal(err)
	}
	users := h.alice.Collection()
	users.PasswordAuth.Enabled, users.OTP.Enabled = false, true
	if err := h.app.Save(users); err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{aliceEmail, "nobody@example.com"} {
		h.do("POST", "/api/auth/request-password-reset", nobody, object("email", email)).wantOutcome("400 RESET_PASSWORD_DISABLED")
	}
	h.do("POST", "/api/auth/reset-password", nobody, object("newPassword", "a newer password", "token", token)).wantOutcome("400 RESET_PASSWORD_DISABLED")
	h.do("POST", "/api/auth/change-password", h.asAlice(), object("currentPassword", testPassword, "newPassword", "a newer password")).
		wantOutcome("400 EMAIL_PASSWORD_DISABLED")
	if accounts := h.do("GET", "/api/auth/list-accounts", h.asAlice(), "").want(200); string(accounts.body) != "[]" {
		t.Errorf("a switched-off password is shown: %s", accounts.body)
	}
}

// A superuser's token is no token of ours, however it was made.
func TestAccountRoutesKnowUsersOnly(t *testing.T) {
	h := newHouse(t)
	reset, err := h.root.NewPasswordResetToken()
	if err != nil {
		t.Fatal(err)
	}
	before := h.snapshot(core.CollectionNameSuperusers)
	h.do("POST", "/api/auth/reset-password", nobody, object("newPassword", "a newer password", "token", reset)).wantOutcome("400 INVALID_TOKEN")
	h.do("POST", "/api/auth/request-password-reset", nobody, object("email", rootEmail)).want(200)
	h.unchanged(before)
	time.Sleep(10 * mailPoll)
	if sent := h.app.TestMailer.TotalSend(); sent != 0 {
		t.Errorf("%d mails went to a superuser", sent)
	}
}

// Where a new user must be verified first, sign-up sends the mail, and its link
// lets them in.
func TestSignUpMailsWhereVerificationIsDemanded(t *testing.T) {
	h := newHouse(t)
	h.setUsers(func(users *core.Collection) { users.AuthRule = types.Pointer("verified = true") })
	h.do("POST", "/api/auth/sign-up/email", nobody,
		object("name", "New", "email", "new@example.com", "password", testPassword, "callbackURL", "/welcome")).want(200)
	roads["Better Auth"].signIn(h, "new@example.com", testPassword).wantOutcome("403 EMAIL_NOT_VERIFIED")
	if got := h.followLink(link(t, h.mail(1))).want(302).header.Get("Location"); got != "/welcome" {
		t.Errorf("the link leads to %s", got)
	}
	if !h.signsIn("new@example.com", testPassword) {
		t.Error("a verified user does not sign in")
	}
}

// An admin's own link in the template stays. What goes to the old address never
// carries the token that would prove the new one on PocketBase's road.
func TestMailsAboutANewAddressInAnAdminsTemplate(t *testing.T) {
	h := newHouse(t)
	h.setUsers(func(users *core.Collection) {
		users.ConfirmEmailChangeTemplate.Body = `<a href="https://app.example/confirm?t={TOKEN}">here</a>`
	})
	h.mustExecute(`UPDATE users SET verified = TRUE WHERE id = {:id}`, "id", h.alice.Id)
	h.alice = h.record(usersCollection, aliceEmail)
	h.do("POST", "/api/auth/change-email", h.asAlice(), object("newEmail", "new@example.com", "callbackURL", "/done")).want(200)

	token := func(message *mailer.Message, to string) string {
		t.Helper()
		found, ok := strings.CutPrefix(link(t, message), "https://app.example/confirm?t=")
		if !ok || message.To[0].Address != to || len(message.To) != 1 {
			t.Fatalf("a mail to %v with the link %s", message.To, link(t, message))
		}
		return found
	}
	confirm := func(token string) answer {
		return h.do("POST", "/api/collections/users/confirm-email-change", nobody, object("token", token, "password", testPassword))
	}
	first := token(h.mail(1), aliceEmail)
	if kind := tokenType(first); kind != changeRequestToken {
		t.Fatalf("the old address gets a token of the type %s", kind)
	}
	confirm(first).want(400)
	if got := h.do("GET", "/api/auth/verify-email?callbackURL=/done&token="+first, nobody, "").want(302).header.Get("Location"); got != "/done" {
		t.Fatalf("the first link leads to %s", got)
	}
	confirm(token(h.mail(2), "new@example.com")).want(204)
	if !h.signsIn("new@example.com", testPassword) {
		t.Error("the new address does not sign in")
	}
}

// A browser that follows the link to its new address signed in stays so, with a
// session that nobody knew before; the others are out.
func TestANewAddressKeepsTheBrowserSignedIn(t *testing.T) {
	h := newHouse(t)
	here, there := h.aliceSession(), h.aliceSession()
	h.do("POST", "/api/auth/change-email", bearer(here.raw), object("newEmail", "new@example.com")).want(200)
	path, _ := strings.CutPrefix(link(t, h.mail(1)), h.app.Settings().Meta.AppURL)
	got := h.do("GET", path, cookie(here.signed, ""), "").want(302)
	fresh := got.header.Get("set-auth-token")
	if got.header.Get("Location") != "/" || fresh == "" || fresh == here.signed {
		t.Fatalf("the link leads to %q with the session %q", got.header.Get("Location"), fresh)
	}
	if email := h.do("GET", "/api/auth/get-session", bearer(fresh), "").want(200).text("user.email"); email != "new@example.com" {
		t.Errorf("the fresh session is of %q", email)
	}
	for _, old := range []session{here, there} {
		h.do("GET", "/api/user/profile", bearer(old.raw), "").want(401)
	}
}

// A server that stops waits for the mails under way, and for none that hangs.
func TestMailsAreHandedOverBeforeTheEnd(t *testing.T) {
	const soon, never, patience = 20 * time.Millisecond, time.Hour, 50 * time.Millisecond
	m := &accountMail{}
	m.drain(never) // nothing to wait for
	var handedOver atomic.Bool
	m.underWay.Go(func() {
		time.Sleep(soon)
		handedOver.Store(true)
	})
	m.drain(never)
	if !handedOver.Load() {
		t.Error("the end did not wait for the mail")
	}
	release := make(chan struct{})
	m.underWay.Go(func() { <-release })
	m.drain(patience)
	close(release)
	m.underWay.Wait()
}

// With all places taken a mail is not sent, and the answer does not tell.
func TestAccountMailsUnderWayAreBounded(t *testing.T) {
	h := newHouse(t)
	release := make(chan struct{})
	h.app.OnMailerRecordPasswordResetSend().BindFunc(func(e *core.MailerRecordEvent) error {
		<-release
		return e.Next()
	})
	ask := func() {
		h.do("POST", "/api/auth/request-password-reset", nobody, object("email", aliceEmail)).want(200)
	}
	for range maxMailsUnderWay + 5 {
		ask()
	}
	close(release)
	h.mail(maxMailsUnderWay)
	time.Sleep(10 * mailPoll)
	if sent := h.app.TestMailer.TotalSend(); sent != maxMailsUnderWay {
		t.Errorf("%d mails were sent, want %d", sent, maxMailsUnderWay)
	}
	ask()
	h.mail(maxMailsUnderWay + 1)
}
