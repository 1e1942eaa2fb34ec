// Package pricing turns metered usage into tokens, the unit of a wallet.
//
// It owns the normal form of usage, the rates of a price, the snapshot of all
// prices in force and the arithmetic between them. Everything is an exact
// integer: the rule of a plan's grant and of a charge are the original
// service's, and both are rounded in one direction, once.
//
// It must never use a floating point number, never read a clock, a file or a
// database, and never let a class of usage pass for free because nobody gave
// it a rate.
package pricing
