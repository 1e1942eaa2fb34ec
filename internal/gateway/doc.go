// Package gateway carries one call to a provider and its answer back.
//
// It owns who the providers are, which of them serves a model, in which order they
// are tried, how a request to each is addressed and signed, which networks may be
// reached, and how streams, forms and JSON bodies pass without being held or
// changed more than needed. The realtime relay dials through the same guard.
//
// It must never decide what a call costs or whether it may be made, never send a
// client's credential to a provider, and never show a provider's key to anybody.
package gateway
