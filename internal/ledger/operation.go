package ledger

import (
	"encoding/json"
	"time"
)

// Kind names the route family of an operation; it scopes idempotency keys, so
// that one key may be sent to two routes without meeting itself.
type Kind string

const (
	KindMint     Kind = "mint"
	KindUse      Kind = "use"
	KindRefund   Kind = "refund"
	KindAdjust   Kind = "adjust"
	KindBatch    Kind = "batch"
	KindHold     Kind = "hold"
	KindExtend   Kind = "extend"
	KindSettle   Kind = "settle"
	KindRelease  Kind = "release"
	KindFreeze   Kind = "freeze"
	KindUnfreeze Kind = "unfreeze"
)

// Request is what every operation carries beside its own fields.
type Request struct {
	Subject        Subject
	IdempotencyKey string // empty: the request is not repeatable
	Actor          string // who asked, for the audit log, such as "superuser:abc"
	Authority      Authority
	// Refusal, an *Error, is why the operation cannot be done: its model has no
	// price any more, say. The repetition of a finished request is answered with
	// the first result all the same.
	Refusal error
	// Spender is the key that a hold, an extension, a use or a client's settlement is
	// bounded by, and that a use or a settlement counts for.
	Spender Spender
}

// Operation is one intent against one wallet. The set is closed: the nouns of
// this file and no others.
type Operation interface {
	request() Request
	kind() Kind
	// validate refuses fields that no wallet state could make acceptable.
	validate() error
	// fields writes every decoded field that makes two requests the same.
	fields(*digest)
	// apply is the rule: see Apply.
	apply(Wallet, Facts) (Outcome, error)
}

func (r Request) request() Request { return r }

// Mint adds tokens. It is idempotent on ExternalEventID over all wallets, for ever.
type Mint struct {
	Request
	Amount          int64 // 1..MaxAmountTokens; 0 only together with ByPlan
	PlanID          string
	ByPlan          bool        // the amount follows from the plan and what was paid for it
	PaidCents       int64       // what was paid, with ByPlan
	Plan            *PlanChange // the entitlement moves to this plan in the same transaction
	ExpiresAt       time.Time   // when what is left of the tokens is taken back; zero: never
	ExternalEventID string
	ReferenceType   string
	ReferenceID     string
	Description     string
	Metadata        json.RawMessage
}

// PlanChange is the entitlement that a mint by plan brings with it.
type PlanChange struct {
	PlanID                string
	MaxConcurrentSessions int64
	RateLimitRPM          int64
	RateLimitTPM          int64           // tokens per minute, 0: as many as the requests per minute allow
	AllowedModels         json.RawMessage // names and name*; none: every model
	Features              json.RawMessage
}

// Use takes tokens for something that was consumed, and records what it was.
type Use struct {
	Request
	Amount        int64 // 1..MaxAmountTokens
	ByPrice       bool  // the amount follows from Usage and the price in force
	AllowNegative bool  // the balance may go below zero, without freezing
	Usage         Usage
	Description   string
	Metadata      json.RawMessage
}

// Refund reverses an earlier mint or use entry, whole or in part, and never more
// than is left of it.
type Refund struct {
	Request
	EntryID     string
	Amount      int64 // 1..MaxAmountTokens, 0 means all that is left
	Description string
	Metadata    json.RawMessage
}

// Adjust corrects a balance by hand. Below zero is refused.
type Adjust struct {
	Request
	Amount      int64  // signed, not 0, at most MaxAmountTokens either way
	Description string // the reason, required
	Metadata    json.RawMessage
}

// Hold reserves tokens until a deadline, for a cost that is not known yet.
type Hold struct {
	Request
	Amount    int64         // 1..MaxAmountTokens
	Duration  time.Duration // until the deadline, MinHoldDuration..MaxHoldDuration
	Reference string        // the caller's own name for it
}

// Extend adds tokens to an open hold, or moves its deadline, or both.
type Extend struct {
	Request
	HoldID   string
	Amount   int64         // added tokens, 0 for none
	Duration time.Duration // from now to the new deadline, 0 to leave it
}

// Settle closes a hold with what was really used.
type Settle struct {
	Request
	HoldID      string
	Amount      int64 // 0..MaxAmountTokens
	ByPrice     bool  // the amount follows from Usage and the price in force
	Usage       Usage
	Description string
	Metadata    json.RawMessage
}

// Release closes a hold; nothing is charged.
type Release struct {
	Request
	HoldID string
}

// Freeze stops all spending until Unfreeze.
type Freeze struct {
	Request
	Reason string // required; never FrozenNegativeBalance, which the ledger keeps for itself
}

// Unfreeze lifts any freeze.
type Unfreeze struct {
	Request
	Reason string // required
}

func (Mint) kind() Kind     { return KindMint }
func (Use) kind() Kind      { return KindUse }
func (Refund) kind() Kind   { return KindRefund }
func (Adjust) kind() Kind   { return KindAdjust }
func (Hold) kind() Kind     { return KindHold }
func (Extend) kind() Kind   { return KindExtend }
func (Settle) kind() Kind   { return KindSettle }
func (Release) kind() Kind  { return KindRelease }
func (Freeze) kind() Kind   { return KindFreeze }
func (Unfreeze) kind() Kind { return KindUnfreeze }

// fingerprint is the hash under which an idempotency key is remembered: the same
// key with another fingerprint is another request.
func fingerprint(op Operation) Hash {
	d := newDigest("sokuji request v1")
	d.text(string(op.kind()))
	d.text(string(op.request().Subject.Type))
	d.text(op.request().Subject.ID)
	op.fields(d)
	return d.sum()
}

// fields of a mint by plan leave out the amount and the metadata: both follow from
// the plan, which an admin may edit before the same request is sent again.
func (m Mint) fields(d *digest) {
	d.flag(m.ByPlan)
	if !m.ByPlan {
		d.number(m.Amount)
	}
	d.number(m.PaidCents)
	d.text(m.PlanID)
	d.text(m.ExternalEventID)
	d.text(m.ReferenceType)
	d.text(m.ReferenceID)
	d.text(m.Description)
	if !m.ByPlan {
		d.bytes(m.Metadata)
	}
	if !m.ExpiresAt.IsZero() { // absent, so that older fingerprints stay
		d.number(m.ExpiresAt.UnixMilli())
	}
}

// fields of a priced use leave the amount out: it follows from the price, which
// may have changed when the same request is sent again.
func (u Use) fields(d *digest) {
	d.flag(u.ByPrice)
	if !u.ByPrice {
		d.number(u.Amount)
	}
	d.flag(u.AllowNegative)
	u.Usage.fields(d)
	d.text(u.Description)
	d.bytes(u.Metadata)
}

func (r Refund) fields(d *digest) {
	d.text(r.EntryID)
	d.number(r.Amount)
	d.text(r.Description)
	d.bytes(r.Metadata)
}

func (a Adjust) fields(d *digest) {
	d.number(a.Amount)
	d.text(a.Description)
	d.bytes(a.Metadata)
}

func (h Hold) fields(d *digest) {
	d.number(h.Amount)
	d.number(int64(h.Duration))
	d.text(h.Reference)
}

func (e Extend) fields(d *digest) {
	d.text(e.HoldID)
	d.number(e.Amount)
	d.number(int64(e.Duration))
}

func (s Settle) fields(d *digest) {
	d.text(s.HoldID)
	d.flag(s.ByPrice)
	if !s.ByPrice {
		d.number(s.Amount)
	}
	s.Usage.fields(d)
	d.text(s.Description)
	d.bytes(s.Metadata)
}

func (r Release) fields(d *digest)  { d.text(r.HoldID) }
func (f Freeze) fields(d *digest)   { d.text(f.Reason) }
func (u Unfreeze) fields(d *digest) { d.text(u.Reason) }
