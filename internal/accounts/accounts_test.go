package accounts_test

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"sokuji/internal/accounts"
	"sokuji/internal/ledger/ledgertest"
	_ "sokuji/migrations"
)

// house is a database with one user and the sessions over it.
type house struct {
	app      *tests.TestApp
	sessions *accounts.Sessions
	clock    *ledgertest.Clock
	owner    accounts.Owner
}

func open(t *testing.T) house {
	t.Helper()
	app, err := tests.NewTestApp(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	clock := ledgertest.NewClock()
	h := house{app: app, clock: clock, sessions: accounts.NewSessions(pool(app.NonconcurrentDB()), pool(app.ConcurrentDB()), clock.Now)}
	h.owner = h.user(t, "ada@example.com")
	return h
}

func pool(builder dbx.Builder) *sql.DB { return builder.(*dbx.DB).DB() }

func (h house) user(t *testing.T, email string) accounts.Owner {
	t.Helper()
	users, err := h.app.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	record := core.NewRecord(users)
	record.SetEmail(email)
	record.SetRandomPassword()
	if err := h.app.Save(record); err != nil {
		t.Fatal(err)
	}
	return accounts.Owner{ID: record.Id, TokenKey: record.TokenKey()}
}

func (h house) create(t *testing.T, remember bool) (string, accounts.Session) {
	t.Helper()
	token, session, err := h.sessions.Create(context.Background(), h.owner, accounts.Client{IPAddress: "127.0.0.1", UserAgent: "test"}, remember)
	if err != nil {
		t.Fatal(err)
	}
	return token, session
}

func (h house) alive(t *testing.T, token string) bool {
	t.Helper()
	_, found, err := h.sessions.Find(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestASessionIsFoundByItsTokenOnly(t *testing.T) {
	h := open(t)
	token, created := h.create(t, true)
	for range 2 { // from disk, then from memory
		found, ok, err := h.sessions.Find(context.Background(), token)
		if err != nil || !ok || found != created {
			t.Fatalf("got %+v, %v, %v; want %+v", found, ok, err, created)
		}
	}
	for _, other := range []string{"", created.ID, token[1:], strings.ToLower(token), token + "x"} {
		if other != token && h.alive(t, other) {
			t.Errorf("%q opened a session", other)
		}
	}
	var stored int
	err := h.app.DB().NewQuery(`SELECT COUNT(*) FROM sessions WHERE token_hash = {:t} OR id = {:t}`).Bind(dbx.Params{"t": token}).Row(&stored)
	if err != nil || stored != 0 {
		t.Fatalf("the token itself is stored (%v)", err)
	}
}

func TestLifetimes(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		name     string
		remember bool
		after    time.Duration
		alive    bool
		slides   bool
	}{
		{"fresh", true, 0, true, false},
		{"just before a day", true, day - time.Millisecond, true, false},
		{"a day", true, day, true, true},
		{"just before seven days", true, 7*day - time.Millisecond, true, true},
		{"seven days", true, 7 * day, false, false},
		{"short: just before a day", false, day - time.Millisecond, true, false},
		{"short: a day", false, day, false, false},
	}
	h := open(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			token, session := h.create(t, test.remember)
			h.alive(t, token) // into memory, which must obey the clock too
			h.clock.Advance(test.after)
			if h.alive(t, token) != test.alive {
				t.Fatalf("alive is %v", !test.alive)
			}
			if !test.alive {
				return
			}
			slid, moved, err := h.sessions.Slide(context.Background(), session)
			if err != nil || moved != test.slides {
				t.Fatalf("moved %v, %v", moved, err)
			}
			if moved && !slid.ExpiresAt.Equal(h.clock.Now().Add(7*day)) {
				t.Fatalf("expires %v", slid.ExpiresAt)
			}
			found, _, err := h.sessions.Find(context.Background(), token)
			if err != nil || found != slid {
				t.Fatalf("stored %+v, want %+v (%v)", found, slid, err)
			}
		})
	}
}

func TestEnding(t *testing.T) {
	ctx := context.Background()
	tests := map[string]struct {
		end  func(h house, first, second accounts.Session) error
		left []bool // first, second, another user's
	}{
		"one":            {func(h house, first, _ accounts.Session) error { return h.sessions.End(ctx, h.owner.ID, first.ID) }, []bool{false, true, true}},
		"all but one":    {func(h house, first, _ accounts.Session) error { return h.sessions.EndOthers(ctx, h.owner.ID, first.ID) }, []bool{true, false, true}},
		"all":            {func(h house, _, _ accounts.Session) error { return h.sessions.EndAll(ctx, h.owner.ID) }, []bool{false, false, true}},
		"somebody's":     {func(h house, first, _ accounts.Session) error { return h.sessions.End(ctx, "somebody", first.ID) }, []bool{true, true, true}},
		"one unheard of": {func(h house, _, _ accounts.Session) error { return h.sessions.End(ctx, h.owner.ID, "x") }, []bool{true, true, true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			firstToken, first := h.create(t, true)
			secondToken, second := h.create(t, true)
			other := h
			other.owner = h.user(t, "bob@example.com")
			otherToken, _ := other.create(t, true)
			tokens := []string{firstToken, secondToken, otherToken}
			for _, token := range tokens {
				h.alive(t, token) // into memory
			}
			if err := test.end(h, first, second); err != nil {
				t.Fatal(err)
			}
			for i, token := range tokens {
				if h.alive(t, token) != test.left[i] {
					t.Errorf("session %d: alive is %v", i, !test.left[i])
				}
			}
			listed, err := h.sessions.List(ctx, h.owner.ID)
			want := 0
			for _, left := range test.left[:2] {
				if left {
					want++
				}
			}
			if err != nil || len(listed) != want {
				t.Errorf("%d are listed, want %d (%v)", len(listed), want, err)
			}
		})
	}
}

func TestANewTokenKeyEndsEverything(t *testing.T) {
	h := open(t)
	token, _ := h.create(t, true)
	record, err := h.app.FindRecordById("users", h.owner.ID)
	if err != nil {
		t.Fatal(err)
	}
	record.RefreshTokenKey()
	if err := h.app.Save(record); err != nil {
		t.Fatal(err)
	}
	h.sessions.ForgetUser(h.owner.ID)
	if h.alive(t, token) {
		t.Fatal("the session survived")
	}
	if listed, err := h.sessions.List(context.Background(), h.owner.ID); err != nil || len(listed) != 0 {
		t.Fatalf("%d are listed (%v)", len(listed), err)
	}
}

// A reader that is loading a session while it ends may not keep it alive.
func TestAnEndedSessionStaysEnded(t *testing.T) {
	h := open(t)
	for range 20 {
		token, session := h.create(t, true)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { h.alive(t, token) })
		}
		if err := h.sessions.End(context.Background(), h.owner.ID, session.ID); err != nil {
			t.Fatal(err)
		}
		if h.alive(t, token) {
			t.Fatal("alive after End returned")
		}
		wg.Wait()
		if h.alive(t, token) {
			t.Fatal("a slow reader brought it back")
		}
	}
}

func TestForget(t *testing.T) {
	h := open(t)
	token, session := h.create(t, true)
	h.alive(t, token)
	if _, err := h.app.NonconcurrentDB().NewQuery(`DELETE FROM sessions`).Execute(); err != nil {
		t.Fatal(err)
	}
	if !h.alive(t, token) {
		t.Fatal("it was not in memory: the test tests nothing")
	}
	h.sessions.Forget(session.ID)
	if h.alive(t, token) {
		t.Fatal("it is still in memory")
	}
}

func TestDeleteExpired(t *testing.T) {
	h := open(t)
	for range 5 {
		h.create(t, false)
	}
	h.clock.Advance(accounts.ShortSessionLifetime)
	alive, _ := h.create(t, true)
	for _, want := range []int64{3, 2, 0} {
		if deleted, err := h.sessions.DeleteExpired(context.Background(), 3); err != nil || deleted != want {
			t.Fatalf("deleted %d (%v), want %d", deleted, err, want)
		}
	}
	if !h.alive(t, alive) {
		t.Fatal("a living session was deleted")
	}
}

func TestWhatAClientSaysIsBounded(t *testing.T) {
	h := open(t)
	client := accounts.Client{IPAddress: strings.Repeat("1", 1000), UserAgent: strings.Repeat("ü", 1000) + "\xff"}
	_, session, err := h.sessions.Create(context.Background(), h.owner, client, true)
	if err != nil || len(session.IPAddress) != 64 || len(session.UserAgent) != 512 || !strings.HasPrefix(client.UserAgent, session.UserAgent) {
		t.Fatalf("%d and %d bytes (%v)", len(session.IPAddress), len(session.UserAgent), err)
	}
	client.UserAgent = "bad \xff byte"
	if _, session, err = h.sessions.Create(context.Background(), h.owner, client, true); err != nil || session.UserAgent != "bad  byte" {
		t.Fatalf("got %q (%v)", session.UserAgent, err)
	}
}

func TestProvisioningHappensOnceAndWhole(t *testing.T) {
	h := open(t)
	user := accounts.NewUser{ID: "newuser00000001", Name: " Ada ", RowID: "row000000000001"}
	provision := func() error {
		return h.app.RunInTransaction(func(tx core.App) error { return accounts.Provision(tx.DB(), user, h.clock.Now()) })
	}
	count := func(table, column string) (rows int) {
		err := h.app.DB().NewQuery(`SELECT COUNT(*) FROM ` + table + ` WHERE ` + column + ` = {:u}`).Bind(dbx.Params{"u": user.ID}).Row(&rows)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if err := provision(); err != nil {
		t.Fatal(err)
	}
	user.RowID = "row000000000002"
	if err := provision(); err == nil {
		t.Fatal("a user was provisioned twice")
	}
	if count("app_user", "better_auth_user_id") != 1 || count("wallets", "id") != 1 || count("entitlements", "subject_id") != 1 {
		t.Fatal("not one row each")
	}
	var limits struct {
		Plan string `db:"plan_id"`
		RPM  int    `db:"rate_limit_rpm"`
	}
	err := h.app.DB().NewQuery(`SELECT plan_id, rate_limit_rpm FROM entitlements WHERE subject_id = {:u}`).Bind(dbx.Params{"u": user.ID}).One(&limits)
	if err != nil || limits.Plan != accounts.FreePlan || limits.RPM != 60 {
		t.Fatalf("got %+v (%v)", limits, err)
	}

	// Without its plan, nothing of a user is made.
	if _, err := h.app.NonconcurrentDB().NewQuery(`UPDATE plans SET id = 'gone' WHERE id = 'free_plan'`).Execute(); err != nil {
		t.Fatal(err)
	}
	user = accounts.NewUser{ID: "newuser00000002", RowID: "row000000000003"}
	if err := provision(); err == nil || count("app_user", "better_auth_user_id")+count("wallets", "id") != 0 {
		t.Fatalf("half a user was made (%v)", err)
	}
}

func TestRemoveKeepsTheBooks(t *testing.T) {
	h := open(t)
	user := accounts.NewUser{ID: "newuser00000001", RowID: "row000000000001"}
	err := h.app.RunInTransaction(func(tx core.App) error {
		if err := accounts.Provision(tx.DB(), user, h.clock.Now()); err != nil {
			return err
		}
		return accounts.Remove(tx.DB(), accounts.Closing{UserID: user.ID, Actor: "user:" + user.ID})
	})
	if err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int{"app_user": 0, "entitlements": 0, "wallets": 1, "wallet_closings": 1} {
		var rows int
		if err := h.app.DB().NewQuery(`SELECT COUNT(*) FROM ` + table).Row(&rows); err != nil || rows != want {
			t.Errorf("%s: %d rows, want %d (%v)", table, rows, want, err)
		}
	}
}

// A client that leaves while its session is being ended may not keep it alive.
func TestAnEndIsNotUndoneByLeaving(t *testing.T) {
	h := open(t)
	for i := range 200 {
		token, session := h.create(t, true)
		h.alive(t, token) // into memory
		ctx, leave := context.WithCancel(context.Background())
		go func() {
			time.Sleep(time.Duration(i) * 2 * time.Microsecond)
			leave()
		}()
		if err := h.sessions.End(ctx, h.owner.ID, session.ID); err != nil {
			t.Fatal(err)
		}
		if h.alive(t, token) {
			t.Fatalf("round %d: alive after End", i)
		}
		leave()
	}
}
