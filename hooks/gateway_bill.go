package hooks

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"sokuji/internal/ledger"
)

const (
	// gatewayReference begins the reference of every hold of the gateway, and the
	// idempotency keys of its settlements. At boot it tells whose holds are nobody's.
	gatewayReference = ledger.GatewayReference
	// billHoldDuration is how long a hold lasts beyond its last renewal, or beyond the
	// longest that its call may take. After a crash the boot releases it.
	billHoldDuration = 20 * time.Minute
	// billAttempts and billPause bound how often a closing is tried that the ledger
	// has no room for. The pause doubles each time: 3 seconds in all.
	billAttempts = 7
	billPause    = 50 * time.Millisecond
)

// bill is what one call owes: a hold at first, and at its end one settlement or
// one release. Every exit of a call closes its bill.
type bill struct {
	server    *server
	request   ledger.Request // the wallet that pays, and who asked
	settleKey string         // of a call that may be repeated: under it, it is charged once; else empty
	holdID    string
	held      int64 // tokens
	isClosed  bool
}

// gatewayRequest is what the gateway asks of the ledger for a caller, who pays from
// their own wallet.
func gatewayRequest(c caller) ledger.Request {
	return ledger.Request{Subject: ledger.UserSubject(c.userID), Actor: c.actor(), Authority: ledger.AsGateway}
}

// open reserves tokens, durably, before a provider hears of the call.
func (b *bill) open(ctx context.Context, amount int64, duration time.Duration, reference string) error {
	receipt, err := b.server.ledger.Do(ctx, ledger.Hold{
		Request: b.request, Amount: max(amount, 1), Duration: duration, Reference: gatewayReference + reference,
	})
	if err != nil {
		return err
	}
	b.holdID, b.held = receipt.Hold.ID, receipt.Hold.Amount
	return nil
}

// extend reserves more, or only renews the deadline. The ledger refuses it for a
// wallet that is empty or frozen, and then the call must stop.
func (b *bill) extend(amount int64) error {
	return b.insist("extend", func() error {
		receipt, err := b.server.ledger.Do(context.Background(), ledger.Extend{
			Request: b.request, HoldID: b.holdID, Amount: amount, Duration: billHoldDuration,
		})
		if err == nil {
			b.held = receipt.Hold.Amount
		}
		return err
	})
}

// settle charges what was used and closes the bill.
func (b *bill) settle(amount int64, usage ledger.Usage) error {
	request := b.request
	request.IdempotencyKey = b.settleKey
	return b.close("settle", ledger.Settle{
		Request: request, HoldID: b.holdID, Amount: amount, ByPrice: true, Usage: usage, Metadata: usage.Metadata,
	})
}

// release closes the bill; nothing is charged.
func (b *bill) release() error {
	return b.close("release", ledger.Release{Request: b.request, HoldID: b.holdID})
}

// close ends the hold. Its context is nobody's: a client that hangs up does not
// stop it.
func (b *bill) close(what string, closing ledger.Operation) error {
	err := b.insist(what, closingOnce(func() error {
		_, err := b.server.ledger.Do(context.Background(), closing)
		return err
	}))
	b.isClosed = err == nil
	return err
}

// closingOnce makes a closing that may be tried again. The ledger lets no client
// close this hold, so one that is closed when it is tried again was closed by an
// attempt that did not learn of it.
func closingOnce(try func() error) func() error {
	isFirst := true
	return func() error {
		err := try()
		if !isFirst && ledger.CodeOf(err) == ledger.CodeHoldNotOpen {
			return nil
		}
		isFirst = false
		return err
	}
}

// ordinaryRefusals are of an extension, and the client's to know rather than the
// operator's.
var ordinaryRefusals = []ledger.Code{ledger.CodeInsufficientBalance, ledger.CodeWalletFrozen, ledger.CodeSpendLimitReached}

// insist tries again what the ledger has no room for. When it never has, the open
// hold is the record of the call, and the log says so.
func (b *bill) insist(what string, try func() error) error {
	pause := billPause
	for attempt := 1; ; attempt++ {
		err := try()
		if ledger.CodeOf(err) != ledger.CodeOverloaded || attempt == billAttempts {
			if err != nil && !slices.Contains(ordinaryRefusals, ledger.CodeOf(err)) {
				b.server.app.Logger().Error("A call's bill could not be written", slog.String("what", what),
					slog.String("hold", b.holdID), slog.Any("error", err))
			}
			return err
		}
		time.Sleep(pause)
		pause *= 2
	}
}
