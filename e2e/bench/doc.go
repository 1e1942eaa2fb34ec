// Command bench measures the compiled server beside its references, all in one
// run on one machine, because only ratios taken together mean anything:
//
//	go run ./e2e/bench            # a full run, about three minutes
//	go run ./e2e/bench -quick     # a smoke test
//
// The references are a bare net/http server (what HTTP costs), the same charge
// made the naive way with PocketBase records (what most people would write),
// and a bare loop over the same database driver (what the disk allows). Every
// server is a process of its own; the load comes from this process, on the same
// cores.
//
// Unlike the other end-to-end tests, this program imports packages of the
// server: it writes a long ledger before the server starts, and it gives the
// naive server the very columns and pragmas of the real one. It must never
// measure through them.
package main
