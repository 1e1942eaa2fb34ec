package e2e

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"testing"

	"sokuji/e2e/testserver"
)

func TestConcurrentMintsAreAllInOneChain(t *testing.T) {
	const mints, workers = 1_000, 64
	server := testserver.Start(t, testserver.Options{})
	user, ctx := newUser(t, server), bounded(t)
	superuserToken(t, server)

	outcomes := atOnce(workers, mints, func(int) outcome {
		receipt, err := server.Mint(ctx, testserver.Op{UserID: user.ID, Amount: 1})
		return outcome{receipt, err}
	})

	entries := ledgerOf(t, server, user.ID)
	if len(entries) != mints {
		t.Fatalf("the ledger has %d entries, want %d", len(entries), mints)
	}
	checkShownChain(t, entries)
	if balance := balanceOf(t, server, user.ID); balance != mints {
		t.Errorf("the balance is %d, want %d", balance, mints)
	}
	byID := map[string]testserver.Entry{}
	for _, entry := range entries {
		byID[entry.ID] = entry
	}
	for i, o := range outcomes {
		if o.err != nil {
			t.Fatalf("mint %d: %v", i, o.err)
		}
		if kept := byID[o.receipt.Entry.ID]; !reflect.DeepEqual(kept, o.receipt.Entry) || kept.BalanceAfter != o.receipt.Balance {
			t.Fatalf("mint %d was answered with %+v, the ledger has %+v", i, o.receipt, kept)
		}
		delete(byID, o.receipt.Entry.ID)
	}
	if len(byID) != 0 {
		t.Errorf("%d entries belong to no answer", len(byID))
	}
}

func TestConcurrentUsesNeverSpendMoreThanThereIs(t *testing.T) {
	const balance, uses = 100, 200
	server := testserver.Start(t, testserver.Options{})
	user, ctx := newUser(t, server), bounded(t)
	mint(t, server, user.ID, balance)

	statuses := map[int]int{}
	for _, err := range atOnce(uses, uses, func(int) error {
		_, err := server.Use(ctx, testserver.Op{UserID: user.ID, Amount: 1})
		return err
	}) {
		statuses[statusOf(err)]++
	}

	want := map[int]int{http.StatusOK: balance, http.StatusPaymentRequired: uses - balance}
	if !reflect.DeepEqual(statuses, want) {
		t.Errorf("statuses were %v, want %v", statuses, want)
	}
	if left := balanceOf(t, server, user.ID); left != 0 {
		t.Errorf("the balance is %d, want 0", left)
	}
	entries := ledgerOf(t, server, user.ID)
	checkShownChain(t, entries)
	if len(entries) != balance+1 {
		t.Errorf("the ledger has %d entries, want %d", len(entries), balance+1)
	}
}

func TestConcurrentRefundsNeverReverseMoreThanThereWas(t *testing.T) {
	const amount, refunds = 20, 50
	server := testserver.Start(t, testserver.Options{})
	user, ctx := newUser(t, server), bounded(t)
	minted := mint(t, server, user.ID, amount)

	statuses := map[int]int{}
	for _, err := range atOnce(refunds, refunds, func(int) error {
		_, err := server.Refund(ctx, testserver.Op{UserID: user.ID, Amount: 1, LedgerID: minted.Entry.ID})
		return err
	}) {
		statuses[statusOf(err)]++
	}

	if want := (map[int]int{http.StatusOK: amount, http.StatusConflict: refunds - amount}); !reflect.DeepEqual(statuses, want) {
		t.Errorf("statuses were %v, want %v", statuses, want)
	}
	if left := balanceOf(t, server, user.ID); left != 0 {
		t.Errorf("the balance is %d, want 0", left)
	}
	auditBooks(t, server.Dir)
}

func TestSimultaneousRepetitionsHappenOnce(t *testing.T) {
	const repetitions = 50
	server := testserver.Start(t, testserver.Options{})
	user, ctx := newUser(t, server), bounded(t)
	first := mint(t, server, user.ID, 1_000)

	for _, test := range []struct {
		name string
		call func(context.Context, testserver.Op) (testserver.Receipt, error)
		op   testserver.Op
	}{
		{"a mint with one externalEventId", server.Mint, testserver.Op{Amount: 7, ExternalEventID: "evt_once"}},
		{"a mint with one Idempotency-Key", server.Mint, testserver.Op{Amount: 7, IdempotencyKey: "once"}},
		{"a mint with both", server.Mint, testserver.Op{Amount: 7, ExternalEventID: "evt_both", IdempotencyKey: "both"}},
		{"a use with one Idempotency-Key", server.Use, testserver.Op{Amount: 7, IdempotencyKey: "once"}},
		{"a refund with one Idempotency-Key", server.Refund, testserver.Op{Amount: 7, LedgerID: first.Entry.ID, IdempotencyKey: "once"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.op.UserID = user.ID
			before := len(ledgerOf(t, server, user.ID))
			outcomes := atOnce(repetitions, repetitions, func(int) outcome {
				receipt, err := test.call(ctx, test.op)
				return outcome{receipt, err}
			})

			replayed := 0
			for i, o := range outcomes {
				if o.err != nil {
					t.Fatalf("repetition %d: %v", i, o.err)
				}
				if o.receipt.Replayed {
					replayed++
				}
				if !reflect.DeepEqual(o.receipt.Entry, outcomes[0].receipt.Entry) || o.receipt.Balance != outcomes[0].receipt.Balance {
					t.Fatalf("repetition %d was answered with %+v, another with %+v", i, o.receipt, outcomes[0].receipt)
				}
			}
			if replayed != repetitions-1 {
				t.Errorf("%d answers say Idempotent-Replayed, want %d", replayed, repetitions-1)
			}
			if added := len(ledgerOf(t, server, user.ID)) - before; added != 1 {
				t.Errorf("%d entries were added, want 1", added)
			}
		})
	}
	checkShownChain(t, ledgerOf(t, server, user.ID))
}

func TestConcurrentRotationsLeaveExactlyTheShownKey(t *testing.T) {
	const calls = 50
	server := testserver.Start(t, testserver.Options{})
	user, ctx := newUser(t, server), bounded(t)
	mint(t, server, user.ID, 1)

	shown := atOnce(calls, calls, func(i int) shownKey {
		if i%2 == 0 {
			return showKey(ctx, server, user, http.MethodGet, "/api/user/api-key")
		}
		return showKey(ctx, server, user, http.MethodPost, "/api/user/api-key/rotate")
	})
	last := showKey(ctx, server, user, http.MethodGet, "/api/user/api-key")

	if status := keyStatus(t, server, last); status != http.StatusOK {
		t.Errorf("the key that is shown at the end answers %d, want 200", status)
	}
	dead := 0
	for _, key := range shown {
		if key.err != nil {
			t.Fatalf("a key could not be had: %v", key.err)
		}
		if key.text == last.text {
			continue
		}
		dead++
		if status := keyStatus(t, server, key); status != http.StatusUnauthorized {
			t.Errorf("a key that was shown before answers %d, want 401", status)
		}
	}
	if dead < calls/2-1 {
		t.Errorf("%d of the shown keys are not the last, want %d or more: rotations gave the same key twice", dead, calls/2-1)
	}
}

func TestARotatedKeyIsDeadWhenTheAnswerIsThere(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	user, ctx := newUser(t, server), bounded(t)
	mint(t, server, user.ID, 1)
	old := showKey(ctx, server, user, http.MethodGet, "/api/user/api-key")
	if status := keyStatus(t, server, old); status != http.StatusOK {
		t.Fatalf("the first key answers %d, want 200", status)
	}
	for range 20 {
		next := showKey(ctx, server, user, http.MethodPost, "/api/user/api-key/rotate")
		if status := keyStatus(t, server, old); status != http.StatusUnauthorized {
			t.Fatalf("the key before answers %d after the rotation, want 401", status)
		}
		if status := keyStatus(t, server, next); status != http.StatusOK {
			t.Fatalf("the new key answers %d, want 200", status)
		}
		old = next
	}
}

type shownKey struct {
	text string
	err  error
}

func showKey(ctx context.Context, server *testserver.Server, user testserver.User, method, path string) shownKey {
	var answer struct {
		APIKey string `json:"apiKey"`
	}
	_, err := server.CallJSON(ctx, testserver.Request{Method: method, Path: path, Token: user.Token}, &answer)
	if err == nil && answer.APIKey == "" {
		err = fmt.Errorf("%s has no apiKey", path)
	}
	return shownKey{answer.APIKey, err}
}

// keyStatus is what the server says to a client with the key.
func keyStatus(t *testing.T, server *testserver.Server, key shownKey) int {
	t.Helper()
	if key.err != nil {
		t.Fatalf("a key could not be had: %v", key.err)
	}
	answer, err := server.Call(bounded(t), testserver.Request{Path: "/api/wallet/balance", Token: key.text})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status
}

func TestConcurrentSignUpsWithOneAddressMakeOneUser(t *testing.T) {
	const signUps, email = 20, "twins@example.com"
	server := testserver.Start(t, testserver.Options{})
	ctx := bounded(t)

	statuses := map[int]int{}
	for _, err := range atOnce(signUps, signUps, func(int) error {
		_, err := server.SignUp(ctx, email, testserver.UserPassword)
		return err
	}) {
		statuses[statusOf(err)]++
	}

	if want := (map[int]int{200: 1, 422: signUps - 1}); !reflect.DeepEqual(statuses, want) {
		t.Errorf("statuses were %v, want %v", statuses, want)
	}
	for _, collection := range []string{"users", "app_user", "wallets", "entitlements"} {
		var page struct {
			TotalItems int `json:"totalItems"`
		}
		path := "/api/collections/" + collection + "/records"
		if _, err := server.CallJSON(ctx, testserver.Request{Path: path, Token: superuserToken(t, server)}, &page); err != nil {
			t.Fatalf("list %s: %v", collection, err)
		}
		if page.TotalItems != 1 {
			t.Errorf("%s has %d rows, want 1", collection, page.TotalItems)
		}
	}
}
