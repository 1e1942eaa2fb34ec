package accounts_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
)

// named opens a session that a PocketBase token would name.
func (h house) named(t *testing.T, id string, life time.Duration) {
	t.Helper()
	err := h.sessions.Open(context.Background(), id, accounts.PocketBase, h.owner, accounts.Client{IPAddress: "::1", UserAgent: "sdk"}, h.clock.Now().Add(life))
	if err != nil {
		t.Fatal(err)
	}
}

func (h house) found(t *testing.T, id string) (accounts.Session, bool) {
	t.Helper()
	session, found, err := h.sessions.FindByKey(context.Background(), accounts.NameKeyOf(id))
	if err != nil {
		t.Fatal(err)
	}
	return session, found
}

func (h house) column(t *testing.T, column, id string) string {
	t.Helper()
	var value string
	err := h.app.DB().NewQuery(`SELECT [[` + column + `]] FROM sessions WHERE id = {:id}`).Bind(dbx.Params{"id": id}).Row(&value)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func (h house) sessionRows(t *testing.T) (rows int) {
	t.Helper()
	if err := h.app.DB().NewQuery(`SELECT COUNT(*) FROM sessions`).Row(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestANamedSessionLivesToItsExpiryAndDoesNotSlide(t *testing.T) {
	h := open(t)
	h.named(t, "named", time.Hour)
	session, found := h.found(t, "named")
	want := accounts.Session{
		ID: "named", UserID: h.owner.ID, Kind: accounts.PocketBase, ExpiresAt: h.clock.Now().Add(time.Hour), Remember: true,
		IPAddress: "::1", UserAgent: "sdk", CreatedAt: h.clock.Now(), UpdatedAt: h.clock.Now(), LastUsedAt: h.clock.Now(),
	}
	if !found || session != want {
		t.Fatalf("got %+v, want %+v", session, want)
	}
	h.clock.Advance(59 * time.Minute)
	if _, moved, err := h.sessions.Slide(context.Background(), session); err != nil || moved {
		t.Errorf("it slid (%v)", err)
	}
	h.clock.Advance(time.Minute)
	if _, found := h.found(t, "named"); found {
		t.Error("it outlived its expiry")
	}
}

// Neither kind is found by what finds the other.
func TestNamesAndTokensAreApart(t *testing.T) {
	h := open(t)
	h.named(t, "named", time.Hour)
	token, session := h.create(t, true)
	for _, text := range []string{"named", "name:named", string(accounts.NameKeyOf("named"))} {
		if h.alive(t, text) {
			t.Errorf("the token %q opened a named session", text)
		}
	}
	for _, id := range []string{session.ID, token, string(accounts.TokenKeyOf(token)), ""} {
		if _, found := h.found(t, id); found {
			t.Errorf("the name %q opened a session of the other road", id)
		}
	}
}

func TestRenewMovesTheExpiryOnOnly(t *testing.T) {
	for _, c := range []struct {
		name, user, id string
		by, want       time.Duration // from the beginning
		renewed        bool
	}{
		{"further", "", "named", 3 * time.Hour, 3 * time.Hour, true},
		{"never back", "", "named", time.Minute, time.Hour, true},
		{"another user's", "somebody", "named", 3 * time.Hour, time.Hour, false},
		{"none", "", "unheard", 3 * time.Hour, time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t)
			begin := h.clock.Now()
			h.named(t, "named", time.Hour)
			h.found(t, "named") // into memory
			h.clock.Advance(30 * time.Second)
			if c.user == "" {
				c.user = h.owner.ID
			}
			renewed, err := h.sessions.Renew(context.Background(), c.user, c.id, begin.Add(c.by))
			if err != nil || renewed != c.renewed {
				t.Fatalf("renewed is %v (%v)", renewed, err)
			}
			session, _ := h.found(t, "named")
			if !session.ExpiresAt.Equal(begin.Add(c.want)) || session.LastUsedAt.Equal(begin) == c.renewed || !session.CreatedAt.Equal(begin) {
				t.Errorf("got %+v", session)
			}
		})
	}
}

func TestRenewDoesNotRaiseTheDead(t *testing.T) {
	h := open(t)
	h.named(t, "named", time.Minute)
	h.clock.Advance(time.Minute)
	renewed, err := h.sessions.Renew(context.Background(), h.owner.ID, "named", h.clock.Now().Add(time.Hour))
	if _, found := h.found(t, "named"); err != nil || renewed || found {
		t.Fatalf("renewed %v, found %v (%v)", renewed, found, err)
	}
}

// One sign-in too many ends the session that was not used for the longest time.
func TestAUsersSessionsAreBounded(t *testing.T) {
	h := open(t)
	var dropped []string
	h.sessions.Observe(accounts.Observer{Dropped: func(userID string) { dropped = append(dropped, userID) }, Failed: func(err error) { t.Error(err) }})
	other := h
	other.owner = h.user(t, "bob@example.com")
	others, _ := other.create(t, true)
	browser, _ := h.create(t, true)
	idle, _ := h.create(t, true)
	for i := range accounts.MaxSessionsPerUser - 2 {
		h.clock.Advance(time.Second)
		h.named(t, fmt.Sprint("script", i), time.Hour)
	}
	if !h.alive(t, idle) || len(dropped) != 0 {
		t.Fatalf("the bound is too low: %v", dropped)
	}
	h.clock.Advance(accounts.LastUseInterval)
	session, _, err := h.sessions.Find(context.Background(), browser)
	if err != nil {
		t.Fatal(err)
	}
	h.sessions.Used(session)
	if err := h.sessions.WriteUses(context.Background()); err != nil {
		t.Fatal(err)
	}
	h.named(t, "one more", time.Hour)
	if h.alive(t, idle) || !h.alive(t, browser) || !h.alive(t, others) {
		t.Error("the wrong session ended")
	}
	if _, found := h.found(t, "one more"); !found {
		t.Error("the new session is dead")
	}
	if len(dropped) != 1 || dropped[0] != h.owner.ID {
		t.Errorf("told of %v", dropped)
	}
	if rows := h.sessionRows(t); rows != accounts.MaxSessionsPerUser+1 {
		t.Errorf("%d rows are left", rows)
	}
}

// A session that cannot be stored ends no other.
func TestAFailedSignInEndsNothing(t *testing.T) {
	h := open(t)
	for i := range accounts.MaxSessionsPerUser {
		h.named(t, fmt.Sprint(i), time.Hour)
	}
	err := h.sessions.Open(context.Background(), "0", accounts.PocketBase, h.owner, accounts.Client{}, h.clock.Now().Add(time.Hour))
	if rows := h.sessionRows(t); err == nil || rows != accounts.MaxSessionsPerUser {
		t.Fatalf("%d rows are left (%v)", rows, err)
	}
}

func TestDeleteOutdated(t *testing.T) {
	ctx := context.Background()
	h := open(t)
	old, _ := h.create(t, true)
	before := h.owner.TokenKey
	record, err := h.app.FindRecordById("users", h.owner.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.sessions.DeleteOutdated(ctx, h.owner.ID, before); err != nil || !h.alive(t, old) {
		t.Fatalf("a living session was deleted (%v)", err)
	}
	record.RefreshTokenKey()
	if err := h.app.Save(record); err != nil {
		t.Fatal(err)
	}
	h.sessions.ForgetUser(h.owner.ID)
	h.owner.TokenKey = record.TokenKey()
	alive, _ := h.create(t, true)
	// told by somebody who saw the key change twice, and speaks of the first
	if err := h.sessions.DeleteOutdated(ctx, h.owner.ID, "the key between"); err != nil {
		t.Fatal(err)
	}
	if rows := h.sessionRows(t); rows != 1 || !h.alive(t, alive) {
		t.Fatalf("%d rows are left", rows)
	}
}

func TestLastUseIsDurableAndCheap(t *testing.T) {
	ctx := context.Background()
	h := open(t)
	h.sessions.Observe(accounts.Observer{Dropped: func(string) {}, Failed: func(err error) { t.Error(err) }})
	h.named(t, "named", 24*time.Hour)
	begin := h.column(t, "last_used_at", "named")
	use := func() {
		session, _ := h.found(t, "named")
		h.sessions.Used(session)
		if err := h.sessions.WriteUses(ctx); err != nil {
			t.Fatal(err)
		}
	}
	h.clock.Advance(accounts.LastUseInterval - time.Millisecond)
	use()
	if got := h.column(t, "last_used_at", "named"); got != begin {
		t.Errorf("it moved early: %s", got)
	}
	h.clock.Advance(time.Millisecond)
	use()
	moved := h.column(t, "last_used_at", "named")
	if moved == begin {
		t.Error("it did not move")
	}
	for range 3 { // memory knows it, too
		h.clock.Advance(time.Minute)
		use()
	}
	if got := h.column(t, "last_used_at", "named"); got != moved {
		t.Errorf("it moved again: %s", got)
	}
	h.clock.Advance(accounts.LastUseInterval)
	session, _ := h.found(t, "named")
	h.sessions.Used(session)
	if err := h.sessions.Close(); err != nil {
		t.Fatal(err)
	}
	last := h.column(t, "last_used_at", "named")
	if last <= moved {
		t.Error("what waited was lost at the end")
	}
	h.clock.Advance(accounts.LastUseInterval)
	use()
	if got := h.column(t, "last_used_at", "named"); got != last {
		t.Error("a use was written after the end")
	}
}

// Uses are written by themselves, many at once, and bring no ended session back.
func TestUsesAreWrittenByThemselves(t *testing.T) {
	h := open(t)
	const users = 3
	var ids []string
	for i := range users {
		h.owner = h.user(t, fmt.Sprintf("u%d@example.com", i))
		for j := range accounts.MaxSessionsPerUser {
			id := fmt.Sprintf("s%d-%d", i, j)
			h.named(t, id, time.Hour)
			ids = append(ids, id)
		}
	}
	h.clock.Advance(accounts.LastUseInterval)
	for _, id := range ids {
		session, _ := h.found(t, id)
		h.sessions.Used(session)
	}
	if err := h.sessions.End(context.Background(), h.owner.ID, ids[len(ids)-1]); err != nil {
		t.Fatal(err)
	}
	want := h.clock.Now().Format("2006-01-02 15:04:05.000Z")
	deadline := time.Now().Add(30 * time.Second)
	for {
		var written, rows int
		err := h.app.DB().NewQuery(`SELECT COUNT(*), COUNT(*) FILTER (WHERE last_used_at = {:at}) FROM sessions`).
			Bind(dbx.Params{"at": want}).Row(&rows, &written)
		if err != nil || rows != len(ids)-1 {
			t.Fatalf("%d rows are left (%v)", rows, err)
		}
		if written == rows {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d uses were written", written, rows)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// An admin's "invalidate all tokens" ends both kinds.
func TestANewTokenKeyEndsBothKinds(t *testing.T) {
	h := open(t)
	token, _ := h.create(t, true)
	h.named(t, "named", time.Hour)
	record, err := h.app.FindRecordById("users", h.owner.ID)
	if err != nil {
		t.Fatal(err)
	}
	record.RefreshTokenKey()
	if err := h.app.RunInTransaction(func(tx core.App) error { return tx.Save(record) }); err != nil {
		t.Fatal(err)
	}
	h.sessions.ForgetUser(h.owner.ID)
	if _, found := h.found(t, "named"); found || h.alive(t, token) {
		t.Fatal("a session survived")
	}
}
