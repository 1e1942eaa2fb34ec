package ledger_test

import (
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"sokuji/internal/ledger"
)

// draw makes an operation from small numbers, so that refusals, repeats, freezes,
// debts and expiries are common.
func (m *model) draw(t *rapid.T) (ledger.Operation, ledger.Subject, string) {
	subject := rapid.SampledFrom([]ledger.Subject{alice, alice, bob}).Draw(t, "wallet")
	key := rapid.SampledFrom([]string{"", "", "", "k1", "k2", "k3"}).Draw(t, "key")
	with := ledger.Request{Subject: subject, IdempotencyKey: key, Actor: "test"}
	with.Spender, with.Authority = drawSpender(t), drawAuthority(t)
	amount := rapid.Int64Range(1, 20).Draw(t, "amount")
	kinds := []string{
		"mint", "mint", "mint", "use", "use", "refund", "refund", "refund", "adjust", "hold", "hold", "hold",
		"extend", "extend", "settle", "settle", "release", "freeze", "unfreeze", "unfreeze",
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "mint":
		return m.drawMint(t, with, amount), subject, key
	case "use":
		return ledger.Use{Request: with, Amount: amount, AllowNegative: rapid.Bool().Draw(t, "allowNegative")}, subject, key
	case "refund":
		id := rapid.SampledFrom(append(slices.Sorted(maps.Keys(m.originals)), "nothing")).Draw(t, "entry")
		part := rapid.Int64Range(0, 1).Draw(t, "part") // 0: all that is left
		return ledger.Refund{Request: with, EntryID: id, Amount: amount * part}, subject, key
	case "adjust":
		sign := rapid.SampledFrom([]int64{1, -1}).Draw(t, "sign")
		return ledger.Adjust{Request: with, Amount: amount * sign, Description: "why"}, subject, key
	case "hold":
		reference := ""
		if with.Authority == ledger.AsGateway && rapid.Bool().Draw(t, "of a call") {
			reference = ledger.GatewayReference + "call"
		}
		return ledger.Hold{Request: with, Amount: amount, Duration: drawDuration(t), Reference: reference}, subject, key
	case "extend":
		return ledger.Extend{Request: with, HoldID: m.drawHold(t), Amount: amount / 4, Duration: drawDuration(t)}, subject, key
	case "settle":
		return ledger.Settle{Request: with, HoldID: m.drawHold(t), Amount: amount - 1}, subject, key
	case "release":
		return ledger.Release{Request: with, HoldID: m.drawHold(t)}, subject, key
	case "freeze":
		return ledger.Freeze{Request: with, Reason: "fraud"}, subject, key
	default:
		return ledger.Unfreeze{Request: with, Reason: "cleared"}, subject, key
	}
}

// drawMint takes its expiries from a few fixed moments, some of which are over, so
// that mints repeat each other and grants share their end.
func (m *model) drawMint(t *rapid.T, with ledger.Request, amount int64) ledger.Mint {
	mint := ledger.Mint{Request: with, Amount: amount, ExternalEventID: rapid.SampledFrom([]string{"", "", "", "e1", "e2"}).Draw(t, "event")}
	if minute := rapid.IntRange(-1, 12).Draw(t, "expiry"); minute > 0 {
		mint.ExpiresAt = noon.Add(time.Duration(minute) * time.Minute)
	}
	return mint
}

func (m *model) drawHold(t *rapid.T) string {
	return rapid.SampledFrom(append(slices.Sorted(maps.Keys(m.holds)), "nothing")).Draw(t, "hold")
}

func drawDuration(t *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}).Draw(t, "duration")
}

func drawAuthority(t *rapid.T) ledger.Authority {
	return rapid.SampledFrom([]ledger.Authority{ledger.AsClient, ledger.AsClient, ledger.AsGateway, ledger.AsSuperuser}).Draw(t, "authority")
}

// drawSpender draws bounds anew each time, as an owner may change them.
func drawSpender(t *rapid.T) ledger.Spender {
	id := rapid.SampledFrom([]string{"", "", "key1", "key1", "key2"}).Draw(t, "spender")
	if id == "" {
		return ledger.Spender{}
	}
	bound := func(name string, most int64) int64 {
		return rapid.Int64Range(0, most).Draw(t, name) * int64(rapid.IntRange(0, 1).Draw(t, name+" is set"))
	}
	return ledger.Spender{
		KeyID: id, LimitTokens: bound("limit", 120), DailyBudgetTokens: bound("daily", 40), MonthlyBudgetTokens: bound("monthly", 80),
	}
}

func drawPause(t *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 29 * time.Second, time.Minute, 3 * time.Minute, 12 * time.Hour, 9 * 24 * time.Hour}).Draw(t, "pause")
}

func drawBatch(t *rapid.T) ledger.UseBatch {
	subject := rapid.SampledFrom([]ledger.Subject{alice, bob}).Draw(t, "wallet")
	batch := ledger.UseBatch{Request: ledger.Request{
		Subject: subject, Actor: "test", IdempotencyKey: rapid.SampledFrom([]string{"", "b1", "b2"}).Draw(t, "batch key"),
		Spender: drawSpender(t),
	}}
	for range rapid.IntRange(1, 4).Draw(t, "uses") {
		batch.Uses = append(batch.Uses, ledger.Use{
			Request:       ledger.Request{Subject: subject, Actor: "test", IdempotencyKey: rapid.SampledFrom([]string{"", "", "k1", "k2"}).Draw(t, "key")},
			Amount:        rapid.Int64Range(0, 12).Draw(t, "amount"), // 0 is refused by its fields
			AllowNegative: rapid.IntRange(0, 4).Draw(t, "allowNegative") == 0,
		})
	}
	return batch
}
