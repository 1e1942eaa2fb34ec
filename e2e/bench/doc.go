// Command bench measures the compiled server beside its references, all in one
// run on one machine, because only ratios taken together mean anything:
//
//	make bench                           # a few minutes on a machine with nothing else to do
//	BENCH_FULL=1 make bench              # the sizes that the targets name: 5 million rows, a million wallets
//	go run ./e2e/bench -quick            # a smoke test
//	go run ./e2e/bench -only leads,reads # parts of a run
//
// The references are a bare net/http server (what HTTP costs), the same charge
// made the naive way with PocketBase records (what most people would write),
// and bare loops over the same database driver (what the disk allows). Every
// server is a process of its own; the load comes from this process, on the same
// cores.
//
// The part "cells" is the table of requests. The others have files of their own:
// "pages" and "scale" compare short ledgers with long ones, "memory" and "start"
// many wallets with none, "collector" settings of Go's garbage collector, "leads"
// other ways to write a charge and "reads" what those would cost readers. "gateway"
// sends the same chat to a provider directly, through a bare reverse proxy, through
// the Portkey gateway and through the server with a durable hold and settlement;
// "streams" measures first tokens and the memory of open streams and sockets. In
// all of them the sides take turns, and the middle round counts.
//
// Unlike the other end-to-end tests, this program imports packages of the
// server: it writes long ledgers before the server starts, and it gives the
// naive server the very columns and pragmas of the real one. It must never
// measure through them.
package main
