package hooks

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/metering"
	"sokuji/internal/pricing"
	"sokuji/internal/realtime"
)

// realtimeHoldDuration outlives every session: a hold needs no renewal.
const realtimeHoldDuration = realtime.MaxSessionTime + 10*time.Minute

// realtimeWallet is the wallet that pays for a session.
type realtimeWallet struct {
	server   *server
	event    *core.RequestEvent // whose credential opened the session
	caller   caller
	plan     entitlement
	upstream gateway.Upstream
	request  ledger.Request
	id       string // of the session
	endpoint metering.Endpoint
	started  time.Time
	// admission is who counts the turns.
	admission *admission
}

var _ realtime.Wallet = (*realtimeWallet)(nil)

// MaySpend asks again for the credential that opened the session.
func (w *realtimeWallet) MaySpend(context.Context) error {
	if w.server.stillAdmitted(w.event, w.caller) {
		return nil
	}
	return w.refusal(&refusal{
		status: http.StatusUnauthorized, code: "invalid_api_key",
		message: "This API key was revoked, disabled, or has expired: connect again with another.",
	})
}

// Rates is what a model's units cost. One that writes down must be open to the
// caller as in a call of its own.
func (w *realtimeWallet) Rates(model string) (pricing.Rates, error) {
	upstream, isOwn := w.upstreamOf(model)
	rates := upstream.Price.Rates
	if isOwn {
		if err := w.server.openTo(w.caller, w.plan, upstream); err != nil {
			return rates, w.refusal(err)
		}
		if err := refuseSoundAsText(w.endpoint, heardByScribe, upstream); err != nil {
			return rates, w.refusal(err)
		}
		return rates, nil
	}
	if model != "" && rates.Milliseconds == 0 && rates.InAudio == 0 {
		return rates, w.refusal(modelNotFound(fmt.Sprintf("The model %q has no price here.", model)))
	}
	return rates, nil
}

// upstreamOf is the session's provider with the price of a model: of one that only
// writes down what is heard, its own, or else the session's.
func (w *realtimeWallet) upstreamOf(model string) (upstream gateway.Upstream, isOwn bool) {
	upstream = w.upstream
	if model == "" {
		return upstream, false
	}
	price, priced := w.server.prices.Load().Find(upstream.PriceProvider, model, time.Now())
	if priced {
		upstream.Asked, upstream.Model, upstream.Price = model, model, price
	}
	return upstream, priced
}

// Hold reserves what a usage would cost.
func (w *realtimeWallet) Hold(ctx context.Context, model string, estimate pricing.Usage) (realtime.Hold, error) {
	if model == "" {
		if err := w.admission.mayTurn(); err != nil {
			return nil, w.refusal(err)
		}
	}
	hold := &realtimeHold{wallet: w, model: model, bill: bill{server: w.server, request: w.request}}
	amount, err := hold.price(estimate)
	if err != nil {
		return nil, w.refusal(priceRefusal(err))
	}
	receipt, err := w.server.ledger.Do(ctx, ledger.Hold{
		Request: w.request, Amount: max(amount, 1), Duration: realtimeHoldDuration,
		Reference: gatewayReference + string(metering.Realtime) + ":" + w.id,
	})
	if err != nil {
		return nil, w.refusal(err)
	}
	hold.bill.holdID, hold.bill.held = receipt.Hold.ID, receipt.Hold.Amount
	return hold, nil
}

// realtimeHold is one reservation of a session.
type realtimeHold struct {
	wallet *realtimeWallet
	model  string // that the estimates are for
	bill   bill
}

func (h *realtimeHold) price(usage pricing.Usage) (int64, error) {
	s := h.wallet.server
	upstream, _ := h.wallet.upstreamOf(h.model)
	margin := s.marginFor(upstream.Price, h.wallet.plan)
	charged, err := pricing.Quote(usage, upstream.Price.Rates, margin, s.config.TokenValueMicroUSD)
	return charged.Total, err
}

// Covers tells whether the reservation is enough.
func (h *realtimeHold) Covers(usage pricing.Usage) bool {
	cost, err := h.price(usage)
	return err == nil && cost <= h.bill.held
}

// Extend adds what a further usage would cost.
func (h *realtimeHold) Extend(ctx context.Context, by pricing.Usage) error {
	amount, err := h.price(by)
	if err != nil {
		return h.wallet.refusal(priceRefusal(err))
	}
	receipt, err := h.wallet.server.ledger.Do(ctx, ledger.Extend{Request: h.bill.request, HoldID: h.bill.holdID, Amount: amount})
	if err != nil {
		return h.wallet.refusal(err)
	}
	h.bill.held = receipt.Hold.Amount
	return nil
}

// Release gives the reservation back.
func (h *realtimeHold) Release(context.Context) error { return h.bill.release() }

// Settle charges one bill and writes its usage row.
func (h *realtimeHold) Settle(_ context.Context, cost realtime.Bill) error {
	w := h.wallet
	upstream, _ := w.upstreamOf(cost.Model)
	result := outcome{usage: cost.Usage, settledBy: ledger.SettledBy(cost.SettledBy), anomalies: cost.Anomalies}
	charged, row, result, err := w.server.chargeFor(upstream, w.plan, result)
	if err != nil || !metering.IsPlausible(cost.Usage) {
		// Nothing that can be priced is known: what was reserved is what it costs.
		w.server.app.Logger().Error("A turn of a realtime session could not be priced and costs what it held",
			slog.String("request", w.id), slog.Any("error", err))
		charged, row = pricing.Charge{Total: h.bill.held}, ledger.Usage{Provider: upstream.Price.Provider, Model: upstream.Asked}
		result.anomalies = append(result.anomalies, "could not be priced")
		result.settledBy = ledger.SettledByEstimate
	}
	w.describe(&row, upstream, cost, result)
	h.bill.settleKey = realtimeSettleKey(w.id, cost.Key)
	if err := h.bill.settle(charged.Total, row); err != nil {
		return err
	}
	w.admission.spent(row.InputTokens + row.OutputTokens) // counts that are not believed are not in the row
	return nil
}

// maxSettleKeyBytes of a bill's name are used as they are; providers choose a part
// of it.
const maxSettleKeyBytes = 120

func realtimeSettleKey(session, key string) string {
	if len(key) > maxSettleKeyBytes {
		sum := sha256.Sum256([]byte(key))
		key = hex.EncodeToString(sum[:])
	}
	return gatewayReference + session + ":" + key
}

// describe puts the facts of a turn on its usage row.
func (w *realtimeWallet) describe(row *ledger.Usage, upstream gateway.Upstream, cost realtime.Bill, result outcome) {
	row.Endpoint, row.Method = "/v1/"+string(w.endpoint), http.MethodGet
	row.EventType = cmp.Or(cost.Event, string(w.endpoint))
	row.SessionID, row.RequestID, row.ResponseID = w.id, w.id, cut([]byte(cost.ResponseID), ledger.MaxReferenceBytes)
	row.CallFacts = ledger.CallFacts{
		Counts: encodeCounts(result.usage), Status: http.StatusSwitchingProtocols, SettledBy: result.settledBy,
		DurationMS: time.Since(w.started).Milliseconds(),
	}
	about := callMetadata{Upstream: upstream.Name, Anomalies: result.anomalies}
	if upstream.Model != upstream.Asked {
		about.UpstreamModel = upstream.Model
	}
	if encoded, err := json.Marshal(about); err == nil && len(encoded) <= ledger.MaxMetadataBytes {
		row.Metadata = encoded
	}
}

// refusal words an error as the client of a session reads it.
func (w *realtimeWallet) refusal(err error) *realtime.Refusal {
	refused := refusalOf(err)
	logServerError(w.event, refused)
	shown := gatewayErrorOf(refused)
	event := &realtime.Refusal{
		Type: openAIErrorType(shown.status, shown.code), Code: shown.code, Message: shown.message, Param: shown.field,
	}
	switch {
	case shown.status == http.StatusServiceUnavailable:
		event.Close = websocket.StatusTryAgainLater
	case shown.status >= http.StatusInternalServerError:
		event.Close = websocket.StatusInternalError
	}
	return event
}

// failure is what the client learns of providers that did not take the session.
func (w *realtimeWallet) failure(err error) error {
	failure, ok := errors.AsType[*gateway.Failure](err)
	if !ok {
		return err
	}
	w.server.app.Logger().Warn("A provider did not take a realtime session", slog.String("provider", failure.Upstream.Name),
		slog.String("request", w.id), slog.Int("status", failure.Status), slog.Any("cause", failure.Cause))
	return w.refusal(refusalOfFailure(failure))
}
