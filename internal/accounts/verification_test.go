package accounts_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sokuji/internal/accounts"
)

const adasAddress = "ada@example.com"

func (h house) verifications(secret string) *accounts.Verifications {
	return accounts.NewVerifications(pool(h.app.NonconcurrentDB()), []byte(secret), h.clock.Now)
}

func (h house) code(t *testing.T, v *accounts.Verifications, purpose accounts.Purpose, address string, owner accounts.Owner) string {
	t.Helper()
	code, err := v.NewCode(context.Background(), purpose, address, owner)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// wrong is a code that is not this one.
func wrong(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

func TestACodeIsSixDigitsAndGoodOnce(t *testing.T) {
	h := open(t)
	v := h.verifications("secret")
	code := h.code(t, v, accounts.PurposeSignIn, adasAddress, h.owner)
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		t.Fatalf("the code is %q", code)
	}
	use := func() error {
		return v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, code)
	}
	for range 3 { // looking does not use it up
		if err := v.CheckCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, code); err != nil {
			t.Fatalf("checking: %v", err)
		}
	}
	if err := use(); err != nil {
		t.Fatalf("the first time: %v", err)
	}
	if err := use(); !errors.Is(err, accounts.ErrCodeInvalid) {
		t.Errorf("the second time: %v", err)
	}
}

func TestACodeIsGoodForOneThingOnly(t *testing.T) {
	h := open(t)
	v := h.verifications("secret")
	bob := h.user(t, "bob@example.com")
	changed := accounts.Owner{ID: h.owner.ID, TokenKey: "another key"}
	for name, try := range map[string]func(code string) error{
		"another purpose": func(code string) error {
			return v.UseCode(context.Background(), accounts.PurposeForgotten, adasAddress, h.owner, code)
		},
		"another address": func(code string) error {
			return v.UseCode(context.Background(), accounts.PurposeSignIn, "bob@example.com", bob, code)
		},
		"another owner of the address": func(code string) error {
			return v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, bob, code)
		},
		"no owner any more": func(code string) error {
			return v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, accounts.Owner{}, code)
		},
		"another token key": func(code string) error {
			return v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, changed, code)
		},
		"another secret": func(code string) error {
			return h.verifications("other").UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, code)
		},
		"a longer text": func(code string) error {
			return v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, code+"0")
		},
		"nothing": func(string) error {
			return v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, "")
		},
	} {
		code := h.code(t, v, accounts.PurposeSignIn, adasAddress, h.owner)
		h.code(t, v, accounts.PurposeForgotten, adasAddress, h.owner)
		if err := try(code); !errors.Is(err, accounts.ErrCodeInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestANewCodeReplacesTheOld(t *testing.T) {
	h := open(t)
	v := h.verifications("secret")
	old := h.code(t, v, accounts.PurposeSignIn, adasAddress, h.owner)
	for range 2 {
		_ = v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, wrong(old))
	}
	fresh := h.code(t, v, accounts.PurposeSignIn, adasAddress, h.owner)
	if fresh == old {
		t.Skip("one in a million: both codes are the same")
	}
	if err := v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, old); !errors.Is(err, accounts.ErrCodeInvalid) {
		t.Errorf("the old code: %v", err)
	}
	if err := v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, fresh); err != nil {
		t.Errorf("the new code: %v", err)
	}
}

func TestACodeDiesOfGuessing(t *testing.T) {
	h := open(t)
	v := h.verifications("secret")
	for _, owner := range []accounts.Owner{h.owner, {}} { // an address without a user looks the same
		code := h.code(t, v, accounts.PurposeSignIn, adasAddress, owner)
		try := func(code string) error {
			return v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, owner, code)
		}
		for range accounts.CodeAttempts {
			if err := try(wrong(code)); !errors.Is(err, accounts.ErrCodeInvalid) {
				t.Fatalf("a wrong guess: %v", err)
			}
		}
		if err := try(code); !errors.Is(err, accounts.ErrCodeAttempts) {
			t.Errorf("the right code after three wrong ones: %v", err)
		}
		if err := try(code); !errors.Is(err, accounts.ErrCodeInvalid) {
			t.Errorf("and again: %v", err)
		}
	}
}

func TestParallelGuessesShareTheAttempts(t *testing.T) {
	h := open(t)
	v := h.verifications("secret")
	code := h.code(t, v, accounts.PurposeSignIn, adasAddress, h.owner)
	var compared, over atomic.Int32
	var guesses sync.WaitGroup
	for guess := range 50 {
		guesses.Go(func() {
			err := v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, fmt.Sprintf("x%05d", guess))
			if errors.Is(err, accounts.ErrCodeAttempts) {
				over.Add(1)
			} else if errors.Is(err, accounts.ErrCodeInvalid) {
				compared.Add(1)
			}
		})
	}
	guesses.Wait()
	// After three the fourth ends the code, and all others find none.
	if over.Load() != 1 || compared.Load() != 49 {
		t.Errorf("%d guesses found the code over and %d were wrong", over.Load(), compared.Load())
	}
	if err := v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, code); !errors.Is(err, accounts.ErrCodeInvalid) {
		t.Errorf("the right code after 50 guesses: %v", err)
	}
}

func TestARightCodeWinsOnceInARace(t *testing.T) {
	h := open(t)
	v := h.verifications("secret")
	code := h.code(t, v, accounts.PurposeSignIn, adasAddress, h.owner)
	if won := race(func() error {
		return v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, code)
	}); won != 1 {
		t.Errorf("%d of 20 used the code", won)
	}
}

// race runs something 20 times at once and counts how often it went well.
func race(try func() error) int32 {
	var won atomic.Int32
	var racers sync.WaitGroup
	for range 20 {
		racers.Go(func() {
			if try() == nil {
				won.Add(1)
			}
		})
	}
	racers.Wait()
	return won.Load()
}

func TestACodeExpires(t *testing.T) {
	h := open(t)
	v := h.verifications("secret")
	code := h.code(t, v, accounts.PurposeSignIn, adasAddress, h.owner)
	h.clock.Advance(accounts.CodeLifetime - time.Millisecond)
	if err := v.CheckCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, code); err != nil {
		t.Errorf("at the last moment: %v", err)
	}
	h.clock.Advance(time.Millisecond)
	if err := v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, code); !errors.Is(err, accounts.ErrCodeExpired) {
		t.Errorf("when it is over: %v", err)
	}
	if err := v.UseCode(context.Background(), accounts.PurposeSignIn, adasAddress, h.owner, code); !errors.Is(err, accounts.ErrCodeInvalid) {
		t.Errorf("and again: %v", err)
	}
}

func (h house) verificationRows(t *testing.T) (rows []string) {
	t.Helper()
	err := h.app.DB().NewQuery(`SELECT purpose || ' ' || subject || ' ' || hash || ' ' || sealed || ' ' || token_key_hash FROM verifications`).Column(&rows)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestTheDatabaseTellsNeitherCodeNorToken(t *testing.T) {
	h := open(t)
	v := h.verifications("secret")
	code := h.code(t, v, accounts.PurposeSignIn, adasAddress, h.owner)
	sessionToken, session := h.create(t, true)
	token, err := v.NewOneTimeToken(context.Background(), session, sessionToken)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Join(h.verificationRows(t), "\n")
	for name, secret := range map[string]string{"code": code, "one-time token": token, "session token": sessionToken, "token key": h.owner.TokenKey} {
		if strings.Contains(rows, secret) {
			t.Errorf("the %s is in the database: %s", name, rows)
		}
	}
	if !strings.Contains(rows, adasAddress) {
		t.Errorf("this test reads the wrong table: %q", rows)
	}
}

// Somebody who can write the table, and does not know the secret, cannot move a
// code of their own to another address or purpose.
func TestAStoredCodeCannotBeMoved(t *testing.T) {
	for _, move := range []string{
		`UPDATE verifications SET subject = 'bob@example.com' WHERE subject = 'ada@example.com'`,
		`UPDATE verifications SET purpose = 'forget-password'`,
	} {
		h := open(t)
		v := h.verifications("secret")
		bob := h.user(t, "bob@example.com")
		code := h.code(t, v, accounts.PurposeSignIn, adasAddress, h.owner)
		params := map[string]any{"bob": bob.ID, "key": fmt.Sprintf("%x", sha256.Sum256([]byte(bob.TokenKey)))}
		for _, statement := range []string{move, `UPDATE verifications SET user_id = {:bob}, token_key_hash = {:key} WHERE subject = 'bob@example.com'`} {
			if _, err := h.app.DB().NewQuery(statement).Bind(params).Execute(); err != nil {
				t.Fatal(err)
			}
		}
		for address, purpose := range map[string]accounts.Purpose{"bob@example.com": accounts.PurposeSignIn, adasAddress: accounts.PurposeForgotten} {
			for _, owner := range []accounts.Owner{bob, h.owner, {}} {
				if err := v.CheckCode(context.Background(), purpose, address, owner, code); err == nil {
					t.Errorf("after %q the code is good for %s of %s", move, purpose, address)
				}
			}
		}
	}
}

func TestVerificationsGoWithTheirUserAndWithTime(t *testing.T) {
	h := open(t)
	v := h.verifications("secret")
	h.code(t, v, accounts.PurposeSignIn, adasAddress, h.owner)
	h.code(t, v, accounts.PurposeSignIn, "stranger@example.com", accounts.Owner{})
	record, err := h.app.FindRecordById("users", h.owner.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.app.Delete(record); err != nil {
		t.Fatal(err)
	}
	if rows := h.verificationRows(t); len(rows) != 1 {
		t.Errorf("after the user was deleted there are %d rows: %q", len(rows), rows)
	}
	if deleted, err := v.DeleteExpired(context.Background(), 10); err != nil || deleted != 0 {
		t.Errorf("%d living rows deleted, %v", deleted, err)
	}
	h.clock.Advance(accounts.CodeLifetime)
	h.code(t, v, accounts.PurposeSignIn, "later@example.com", accounts.Owner{})
	if deleted, err := v.DeleteExpired(context.Background(), 10); err != nil || deleted != 1 {
		t.Errorf("%d expired rows deleted, want 1: %v", deleted, err)
	}
}

func TestAOneTimeTokenIsGoodOnce(t *testing.T) {
	h := open(t)
	v := h.verifications("secret")
	sessionToken, session := h.create(t, true)
	newToken := func() string {
		token, err := v.NewOneTimeToken(context.Background(), session, sessionToken)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	token := newToken()
	if got, err := v.UseOneTimeToken(context.Background(), token); err != nil || got != sessionToken {
		t.Fatalf("the first time: %q, %v", got, err)
	}
	if got, err := v.UseOneTimeToken(context.Background(), token); !errors.Is(err, accounts.ErrTokenInvalid) || got != "" {
		t.Errorf("the second time: %q, %v", got, err)
	}
	token = newToken()
	if won := race(func() error { _, err := v.UseOneTimeToken(context.Background(), token); return err }); won != 1 {
		t.Errorf("%d of 20 used the token", won)
	}
	token = newToken()
	h.clock.Advance(accounts.OneTimeTokenLifetime)
	if _, err := v.UseOneTimeToken(context.Background(), token); !errors.Is(err, accounts.ErrTokenInvalid) {
		t.Errorf("when it is over: %v", err)
	}
	for _, foreign := range []string{"", "x", sessionToken, session.ID, strings.ToLower(newToken())} {
		if _, err := v.UseOneTimeToken(context.Background(), foreign); !errors.Is(err, accounts.ErrTokenInvalid) {
			t.Errorf("%q: %v", foreign, err)
		}
	}
}

func TestOneTimeTokensOfASessionAreBounded(t *testing.T) {
	h := open(t)
	v := h.verifications("secret")
	sessionToken, session := h.create(t, true)
	var tokens []string
	for range accounts.MaxOneTimeTokens + 3 {
		token, err := v.NewOneTimeToken(context.Background(), session, sessionToken)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
		h.clock.Advance(time.Millisecond)
	}
	good := 0
	for at, token := range tokens {
		_, err := v.UseOneTimeToken(context.Background(), token)
		if err == nil {
			good++
		} else if at >= 3 {
			t.Errorf("token %d made room, and the older ones did not: %v", at, err)
		}
	}
	if good != accounts.MaxOneTimeTokens {
		t.Errorf("%d tokens are good, want %d", good, accounts.MaxOneTimeTokens)
	}
}
