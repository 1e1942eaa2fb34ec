// Package ledger owns the money: the rules that move a wallet from one state to
// the next, the hash chain that makes an entry tamper-evident, and the single
// writer that turns concurrent requests into durable batches.
//
// One door leads in: [Ledger.Do] takes an operation ([Mint], [Use], [Refund],
// [Adjust], [Freeze], [Unfreeze]) and answers with a [Receipt] once the effect
// is on disk. The rules themselves are one pure function, [Apply]; every store,
// simulator and test shares it.
//
// The package must never import PocketBase or HTTP, never touch a float, never
// read a clock or a random source that was not handed to it, and never answer
// before the store has committed.
package ledger
