package hooks

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
	"sokuji/internal/config"
)

var sixDigits = regexp.MustCompile(`>(\d{6})<`)

// sendCode asks for a code and returns it out of the mail.
func (h *house) sendCode(kind, email string) string {
	h.t.Helper()
	before := h.app.TestMailer.TotalSend()
	h.do("POST", "/api/auth/email-otp/send-verification-otp", nobody, object("email", email, "type", kind)).want(200)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if h.app.TestMailer.TotalSend() == before {
			continue
		}
		mail := h.app.TestMailer.LastMessage()
		if code := sixDigits.FindStringSubmatch(mail.HTML); code != nil && mail.To[0].Address == strings.ToLower(email) {
			return code[1]
		}
	}
	h.t.Fatalf("no code was mailed to %s", email)
	return ""
}

// useCode is what a client does with a code of a type.
func (h *house) useCode(kind, email, code string) answer {
	h.t.Helper()
	switch kind {
	case "sign-in":
		return h.do("POST", "/api/auth/sign-in/email-otp", nobody, object("email", email, "otp", code))
	case "email-verification":
		return h.do("POST", "/api/auth/email-otp/verify-email", nobody, object("email", email, "otp", code))
	case "forget-password":
		return h.do("POST", "/api/auth/email-otp/reset-password", nobody, object("email", email, "otp", code, "password", "another password"))
	}
	h.t.Fatalf("no type %s", kind)
	return answer{}
}

// codeBody is the body of a request with a fresh code for somebody.
func codeBody(kind string, address func(*house) string, more ...any) func(*house) string {
	return func(h *house) string {
		email := address(h)
		return object(append([]any{"email", email, "otp", h.sendCode(kind, email)}, more...)...)
	}
}

func aliceAddress(*house) string { return aliceEmail }

func newAddress(h *house) string { return fmt.Sprintf("code%d@example.com", h.count("users", "TRUE")) }

func newUsersAddress(h *house) string {
	email := newAddress(h)
	h.save(usersCollection, map[string]any{"email": email, "password": testPassword})
	return email
}

var codeTypes = []string{"sign-in", "email-verification", "forget-password"}

func wrongCode(code string) string { return fmt.Sprintf("%06d", (number(code)+1)%1_000_000) }

func number(code string) (value int) {
	_, _ = fmt.Sscanf(code, "%d", &value)
	return value
}

func (h *house) users(change func(*core.Collection)) {
	h.t.Helper()
	users, err := h.app.FindCollectionByNameOrId(usersCollection)
	if err != nil {
		h.t.Fatal(err)
	}
	change(users)
	if err := h.app.Save(users); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) verify(email string) {
	h.t.Helper()
	record := h.record(usersCollection, email)
	record.SetVerified(true)
	if err := h.app.Save(record); err != nil {
		h.t.Fatal(err)
	}
}

func TestACodeSignsIn(t *testing.T) {
	h := newHouse(t)
	h.verify(aliceEmail)
	old := h.aliceSession()
	got := h.useCode("sign-in", "ALICE@example.com", h.sendCode("sign-in", "Alice@Example.com")).want(200)
	if got.text("user.id") != h.alice.Id || got.header.Get("set-auth-token") == "" {
		t.Errorf("signed in as somebody else, or without a session: %s", got.body)
	}
	h.do("GET", "/api/user/profile", bearer(got.text("token")), "").want(200)
	h.do("GET", "/api/user/profile", bearer(old.raw), "").want(200)
	h.signIn(aliceEmail, testPassword) // a verified account keeps its password

	// A session that somebody put into the browser before is not the one after.
	planted := h.signIn(bobEmail, testPassword)
	got = h.do("POST", "/api/auth/sign-in/email-otp", cookie(planted.signed, trustedOrigin),
		object("email", aliceEmail, "otp", h.sendCode("sign-in", aliceEmail))).want(200)
	if signed := got.header.Get("set-auth-token"); signed == planted.signed || h.do("GET", "/api/auth/get-session", bearer(signed), "").text("user.id") != h.alice.Id {
		t.Errorf("the session from before goes on: %s", signed)
	}
}

func TestACodeSignsUp(t *testing.T) {
	h := newHouse(t)
	code := h.sendCode("sign-in", "new@example.com")
	got := h.do("POST", "/api/auth/sign-in/email-otp", nobody, object(
		"email", "new@example.com", "otp", code, "name", "New", "image", "https://example.com/a.png",
		"id", "a1234567890bcde", "role", "admin", "verified", false, "balance", 5, "tokenKey", "x")).want(200)
	if got.text("user.name") != "New" || got.text("user.image") != "https://example.com/a.png" || got.value("user.emailVerified") != true {
		t.Errorf("the new user is %s", got.body)
	}
	record := h.record(usersCollection, "new@example.com")
	if record.Id == "a1234567890bcde" || record.TokenKey() == "x" {
		t.Error("the body set what is not its own")
	}
	if balance := h.balance(record); balance != 0 {
		t.Errorf("the new wallet holds %d", balance)
	}
}

func TestACodeClaimsAnUnverifiedAccount(t *testing.T) {
	h := newHouse(t)
	attacker := bearer(roads["Better Auth"].signUp(h, "victim@example.com", "attacker password").want(200).text("token"))
	key := h.do("POST", "/api/user/api-key/rotate", attacker, "{}").want(200).text("apiKey")
	got := h.useCode("sign-in", "victim@example.com", h.sendCode("sign-in", "victim@example.com")).want(200)
	if got.value("user.emailVerified") != true {
		t.Errorf("the address is not verified: %s", got.body)
	}
	h.do("GET", "/api/user/profile", attacker, "").want(401)
	h.do("GET", "/api/wallet/balance", bearer(key), "").want(401)
	for name, road := range roads {
		if status := road.signIn(h, "victim@example.com", "attacker password").status; status == 200 {
			t.Errorf("%s: the attacker's password still opens the account", name)
		}
	}
	h.do("GET", "/api/user/profile", bearer(got.text("token")), "").want(200)
}

func TestACodeVerifiesAnAddress(t *testing.T) {
	h := newHouse(t)
	session := h.aliceSession()
	got := h.useCode("email-verification", aliceEmail, h.sendCode("email-verification", aliceEmail)).want(200)
	if got.value("status") != true || got.value("user.emailVerified") != true || got.header.Get("Set-Cookie") != "" {
		t.Errorf("the answer is %s, %v", got.body, got.header)
	}
	if token, present := got.value("token"), strings.Contains(string(got.body), `"token":null`); token != nil || !present {
		t.Errorf("the token is %v", token)
	}
	if h.do("GET", "/api/auth/get-session", bearer(session.raw), "").want(200).value("user.emailVerified") != true {
		t.Error("the session knows nothing of it")
	}
	h.signIn(aliceEmail, testPassword)
}

func TestACodeResetsAPassword(t *testing.T) {
	h := newHouse(t)
	session, token := h.aliceSession(), h.asAlice()
	code := h.sendCode("forget-password", aliceEmail)
	for password, refusal := range map[string]string{"short": "400 PASSWORD_TOO_SHORT", strings.Repeat("a", 129): "400 PASSWORD_TOO_LONG"} {
		h.do("POST", "/api/auth/email-otp/reset-password", nobody, object("email", aliceEmail, "otp", code, "password", password)).wantOutcome(refusal)
	}
	h.do("POST", "/api/auth/email-otp/check-verification-otp", nobody, object("email", aliceEmail, "otp", code, "type", "forget-password")).want(200)
	if got := h.useCode("forget-password", aliceEmail, code).want(200); string(got.body) != `{"success":true}` {
		t.Errorf("the answer is %s", got.body)
	}
	for name, old := range map[string]credential{"session": bearer(session.raw), "token": token} {
		if h.do("GET", "/api/user/profile", old, "").status != 401 {
			t.Errorf("the old %s is still alive", name)
		}
	}
	for name, road := range roads {
		if road.signIn(h, aliceEmail, testPassword).status == 200 || road.signIn(h, aliceEmail, "another password").status != 200 {
			t.Errorf("%s: the password is the old one", name)
		}
	}
	if !h.record(usersCollection, aliceEmail).Verified() {
		t.Error("whoever reads the mail has not proven the address")
	}
}

func TestACodeIsForOnePurposeAndOneAddress(t *testing.T) {
	h := newHouse(t)
	h.verify(aliceEmail)
	for _, sent := range codeTypes {
		code := h.sendCode(sent, aliceEmail)
		for _, used := range codeTypes {
			if used != sent {
				h.useCode(used, aliceEmail, code).wantOutcome("400 INVALID_OTP")
			}
			h.useCode(used, bobEmail, code).wantOutcome("400 INVALID_OTP")
		}
		h.useCode(sent, aliceEmail, code).want(200)
		h.useCode(sent, aliceEmail, code).wantOutcome("400 INVALID_OTP")
	}
}

func TestFiftyParallelGuesses(t *testing.T) {
	h := newHouse(t)
	code := h.sendCode("sign-in", aliceEmail)
	outcomes := make([]string, 50)
	var guesses sync.WaitGroup
	for i := range outcomes {
		guesses.Go(func() { outcomes[i] = h.useCode("sign-in", aliceEmail, fmt.Sprintf("x%05d", i)).outcome() })
	}
	guesses.Wait()
	over := 0
	for _, outcome := range outcomes {
		if outcome == "403 TOO_MANY_ATTEMPTS" {
			over++
		} else if outcome != "400 INVALID_OTP" {
			t.Errorf("a guess was answered %s", outcome)
		}
	}
	if over != 1 {
		t.Errorf("%d guesses were told that it is over, want the fourth alone", over)
	}
	h.useCode("sign-in", aliceEmail, code).wantOutcome("400 INVALID_OTP")
}

// What ends a user's standing makes the codes that are out worthless.
func TestCodesDieWithTheStanding(t *testing.T) {
	for name, end := range map[string]func(h *house, record *core.Record){
		"a new password": func(h *house, record *core.Record) {
			record.SetPassword("quite another password")
			h.saved(record)
		},
		"invalidate all tokens": func(h *house, record *core.Record) {
			record.RefreshTokenKey()
			h.saved(record)
		},
		"a new address": func(h *house, record *core.Record) {
			record.SetEmail("elsewhere@example.com")
			h.saved(record)
		},
		"deleted, and somebody new with the address": func(h *house, record *core.Record) {
			if err := h.app.Delete(record); err != nil {
				h.t.Fatal(err)
			}
			roads["Better Auth"].signUp(h, aliceEmail, testPassword).want(200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.verify(aliceEmail)
			codes := make(map[string]string)
			for _, kind := range codeTypes {
				codes[kind] = h.sendCode(kind, aliceEmail)
			}
			end(h, h.record(usersCollection, aliceEmail))
			for kind, code := range codes {
				h.useCode(kind, aliceEmail, code).wantOutcome("400 INVALID_OTP")
				h.useCode(kind, "elsewhere@example.com", code).wantOutcome("400 INVALID_OTP")
			}
		})
	}
}

func (h *house) saved(record *core.Record) {
	h.t.Helper()
	if err := h.app.Save(record); err != nil {
		h.t.Fatal(err)
	}
}

// Known and unknown addresses are answered alike, from the sending to the last guess.
func TestCodesDoNotTellWhoHasAnAccount(t *testing.T) {
	h := newHouse(t)
	for _, kind := range codeTypes {
		var seen [2][]string
		for i, email := range []string{aliceEmail, "stranger@example.com"} {
			sent := h.do("POST", "/api/auth/email-otp/send-verification-otp", nobody, object("email", email, "type", kind))
			seen[i] = append(seen[i], fmt.Sprint(sent.status, string(sent.body)))
			for range accounts.CodeAttempts + 2 {
				got := h.useCode(kind, email, "no code")
				seen[i] = append(seen[i], fmt.Sprint(got.status, string(got.body)))
			}
		}
		if fmt.Sprint(seen[0]) != fmt.Sprint(seen[1]) {
			t.Errorf("%s: known   %q\nunknown %q", kind, seen[0], seen[1])
		}
	}
}

// Only who can use a code gets a mail.
func TestWhoGetsACode(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*core.Collection)
		known  string // the types that a user gets, and that a stranger gets
		new    string
	}{
		"as it is":       {func(*core.Collection) {}, "sign-in email-verification forget-password", "sign-in"},
		"sign-up closed": {func(c *core.Collection) { c.CreateRule = nil }, "sign-in email-verification forget-password", ""},
		"codes off":      {func(c *core.Collection) { c.OTP.Enabled = false }, "email-verification forget-password", ""},
		"passwords off":  {func(c *core.Collection) { c.PasswordAuth.Enabled = false }, "sign-in email-verification", "sign-in"},
		"a second factor": {func(c *core.Collection) { c.MFA.Enabled = true },
			"email-verification forget-password", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.users(c.change)
			for email, want := range map[string]string{aliceEmail: c.known, "stranger@example.com": c.new} {
				for _, kind := range codeTypes {
					h.do("POST", "/api/auth/email-otp/send-verification-otp", nobody, object("email", email, "type", kind)).want(200)
				}
				wanted := len(strings.Fields(want))
				if got := h.mailsTo(email, wanted); got != wanted {
					t.Errorf("%s got %d mails, want %d", email, got, wanted)
				}
			}
		})
	}
}

// mailsTo counts the mails to an address, as soon as there are enough, or after a
// while without.
func (h *house) mailsTo(email string, enough int) (found int) {
	h.t.Helper()
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		found = 0
		for _, message := range h.app.TestMailer.Messages() {
			if message.To[0].Address == email {
				found++
			}
		}
		if time.Now().After(deadline) || enough > 0 && found >= enough {
			return found
		}
		if enough == 0 && time.Until(deadline) < 1700*time.Millisecond {
			return found
		}
	}
}

// The rules of an admin hold for who signs in by a code.
func TestCodesKeepTheRules(t *testing.T) {
	h := newHouse(t)
	h.verify(aliceEmail)
	rule := `name != "Alice"`
	h.users(func(c *core.Collection) { c.AuthRule = &rule }) // which ends the codes before it
	code := h.sendCode("sign-in", aliceEmail)
	h.useCode("sign-in", aliceEmail, code).wantOutcome("403 FORBIDDEN")

	code = h.sendCode("sign-in", "new@example.com")
	h.users(func(c *core.Collection) { c.CreateRule = nil })
	h.useCode("sign-in", "new@example.com", code).wantOutcome("400 INVALID_OTP")
	if userExists(h.app, "new@example.com") {
		t.Error("somebody signed up though it is closed")
	}
	h.users(func(c *core.Collection) { c.OTP.Enabled = false })
	h.useCode("sign-in", aliceEmail, "000000").wantOutcome("400 EMAIL_OTP_DISABLED")
}

func TestCodesAreThrottled(t *testing.T) {
	h := newHouse(t, "AUTH_RATE_LIMIT", "3")
	send := func(email string) answer {
		return h.do("POST", "/api/auth/email-otp/send-verification-otp", nobody, object("email", email, "type", "sign-in"))
	}
	for i := range 3 {
		send(fmt.Sprintf("user%d@example.com", i)).want(200)
	}
	wantRetry(t, send("user4@example.com").want(429), 60)
	wantRetry(t, h.do("POST", "/api/auth/email-otp/request-password-reset", nobody, object("email", aliceEmail)).want(429), 60)
	wantRetry(t, h.do("POST", "/api/auth/forget-password/email-otp", nobody, object("email", aliceEmail)).want(429), 60)
	for _, route := range []struct {
		kind string
		most int
	}{{"sign-in", 10}, {"email-verification", 60}, {"forget-password", 60}} {
		for range 3 {
			if got := h.useCode(route.kind, bobEmail, "no code"); got.status == 429 || got.status == 200 {
				t.Fatalf("%s: %s", route.kind, got.outcome())
			}
		}
		wantRetry(t, h.useCode(route.kind, bobEmail, "no code").want(429), route.most)
	}
}

// One address is not flooded from many, and not guessed at for hours.
func TestOneAddressIsSparedManyIPs(t *testing.T) {
	h := newHouse(t, "AUTH_RATE_LIMIT", "3", "TRUSTED_PROXY_HEADERS", "X-Forwarded-For")
	from := func(i int) string { return fmt.Sprintf("10.0.%d.%d", i/200, i%200+1) }
	for i := range 4 {
		got := h.do("POST", "/api/auth/email-otp/send-verification-otp", nobody, object("email", aliceEmail, "type", "sign-in"), "X-Forwarded-For", from(i))
		if want := map[bool]int{true: 200, false: 429}[i < 3]; got.status != want {
			t.Errorf("code %d from another IP is answered %s", i+1, got.outcome())
		}
	}
	guess := func(i int) answer {
		return h.do("POST", "/api/auth/sign-in/email-otp", nobody, object("email", aliceEmail, "otp", "no code"), "X-Forwarded-For", from(i))
	}
	for i := range 3 * guessesPerSignIn {
		if got := guess(100 + i); got.status == 429 {
			t.Fatalf("guess %d is refused", i+1)
		}
	}
	wantRetry(t, guess(500).want(429), 3600)
}

func TestBrokenCodeRequests(t *testing.T) {
	h := newHouse(t)
	const send, check, in, verify, reset = "email-otp/send-verification-otp", "email-otp/check-verification-otp", "sign-in/email-otp", "email-otp/verify-email", "email-otp/reset-password"
	for _, c := range []struct{ path, body, outcome, names string }{
		{send, `{}`, "400 VALIDATION_ERROR", "[body.email]"},
		{send, `{"email":"a@example.com"}`, "400 VALIDATION_ERROR", "[body.type] Invalid option"},
		{send, `{"email":"a@example.com","type":"sign-out"}`, "400 VALIDATION_ERROR", "[body.type]"},
		{send, `{"email":"a@example.com","type":["sign-in"]}`, "400 VALIDATION_ERROR", "[body.type]"},
		{send, `{"email":"a@example.com","type":"change-email"}`, "400 INVALID_OTP_TYPE", ""},
		{send, `{"email":"not an address","type":"sign-in"}`, "400 INVALID_EMAIL", ""},
		{send, `{"email":"a@example.com\r\nBcc: b@example.com","type":"sign-in"}`, "400 INVALID_EMAIL", ""},
		{send, `{"email":"a@example.com>,<b@example.com","type":"sign-in"}`, "400 INVALID_EMAIL", ""},
		{send, `{"email":"a@example.com","email":"b@example.com","type":"sign-in"}`, "400 VALIDATION_ERROR", "email"},
		{check, `{"email":"a@example.com","type":"sign-in"}`, "400 VALIDATION_ERROR", "[body.otp]"},
		{check, `{"email":"a@example.com","type":"change-email","otp":"1"}`, "400 INVALID_OTP", ""},
		{in, `{"email":"a@example.com","otp":123456}`, "400 VALIDATION_ERROR", "[body.otp]"},
		{in, `{"email":"not an address","otp":"123456"}`, "400 INVALID_OTP", ""},
		{in, `{"email":"' OR 1=1 --","otp":"' OR 1=1 --"}`, "400 INVALID_OTP", ""},
		{in, `{"email":"alice@example.com","otp":"' OR ''='"}`, "400 INVALID_OTP", ""},
		{in, `{"email":"a@example.com","otp":"` + strings.Repeat("1", 65) + `"}`, "400 VALIDATION_ERROR", "[body.otp]"},
		{in, `{"email":"a@example.com","otp":"1","name":"` + strings.Repeat("n", 256) + `"}`, "400 VALIDATION_ERROR", "[body.name]"},
		{verify, `{"email":"a@example.com"}`, "400 VALIDATION_ERROR", "[body.otp]"},
		{verify, `[]`, "400 VALIDATION_ERROR", ""},
		{reset, `{"email":"a@example.com","otp":"1"}`, "400 VALIDATION_ERROR", "[body.password]"},
		{reset, `{`, "400 BAD_REQUEST", ""},
	} {
		h.do("POST", "/api/auth/"+c.path, nobody, c.body).wantOutcome(c.outcome).names(c.names)
	}
	h.do("POST", "/api/auth/sign-in/email-otp", nobody, "email=a%40example.com&otp=1", "Content-Type", "application/x-www-form-urlencoded").wantOutcome("415 UNSUPPORTED_MEDIA_TYPE")
	h.do("POST", "/api/auth/sign-in/email-otp", nobody, object("email", aliceEmail, "otp", "1"),
		"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate").wantOutcome("403 CROSS_SITE_NAVIGATION_LOGIN_BLOCKED")
}

// The mail is the collection's, as an admin edits it, and no field of a user gets
// into its headers.
func TestTheCodesMailIsTheAdmins(t *testing.T) {
	h := newHouse(t)
	h.users(func(c *core.Collection) {
		c.OTP.EmailTemplate.Subject = "Hello {RECORD:name}"
		c.OTP.EmailTemplate.Body = "<b>{OTP}</b> of an admin"
	})
	h.sendCode("email-verification", aliceEmail)
	mail := h.app.TestMailer.LastMessage()
	if mail.Subject != "Hello Alice" || !strings.Contains(mail.HTML, "of an admin") || len(mail.To) != 1 {
		t.Errorf("the mail is %q to %v: %s", mail.Subject, mail.To, mail.HTML)
	}
}

func TestCodesAreCleanedUp(t *testing.T) {
	h := newHouse(t)
	h.sendCode("sign-in", aliceEmail)
	h.oneTimeToken(bearer(h.aliceSession().raw))
	run := func() {
		for _, job := range h.app.Cron().Jobs() {
			if job.Id() == "sokujiCodeCleanup" {
				job.Run()
			}
		}
	}
	if run(); h.count("verifications", "TRUE") != 2 {
		t.Fatal("living codes were cleaned up, or not stored")
	}
	h.mustExecute("UPDATE verifications SET expires_at = '2020-01-01 00:00:00.000Z' WHERE purpose = 'sign-in'")
	if run(); h.count("verifications", "TRUE") != 1 {
		t.Error("an expired code is kept")
	}
}

// When too many mails are under way, everybody is told so, known or not.
func TestMailsUnderWayAreBounded(t *testing.T) {
	codes, err := newEmailCodes(config.Config{}, nil, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	var release func()
	for range maxMailsInFlight {
		if release, err = codes.reserveMail(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := codes.reserveMail(); refusalOf(err).status != 503 {
		t.Errorf("one more is answered %v", err)
	}
	release()
	if _, err := codes.reserveMail(); err != nil {
		t.Errorf("after one was sent: %v", err)
	}
}
