// Package memorystore is a store of the ledger in memory, and an audit of the
// books that any store keeps. The simulator and the tests run on it; it passes
// the same suite as the store on disk.
//
// It must never hold anybody's money: nothing in it outlives the process. It must
// never import package testing, because the binary's simulator uses it.
package memorystore
