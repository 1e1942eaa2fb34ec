// Package simulate runs the real writer of the ledger over a disk that fails on
// purpose: processes die before, during and after a commit, disks are slow or
// full, clocks jump, clients repeat what was not answered, late, out of order and
// all at once. Everything follows from one number, the seed, so that a failure
// can be looked at as often as needed.
//
// After each step it asks whether the books balance, whether every answer that a
// client got is in them, and whether anything happened twice.
//
// It must never read the wall clock or a random source of its own, nor let two
// goroutines race for an order: the same seed gives the same trace.
package simulate
