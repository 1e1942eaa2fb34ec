package main

import (
	"context"
	"net/http"
	"time"
)

// row is a line of the table.
type row string

// The lines, each reference directly above what is measured against it.
const (
	rowBareGet          row = "GET  bare net/http"
	rowBalanceBySession row = "GET  balance, session token"
	rowBalanceByKey     row = "GET  balance, API key"
	rowBalanceByJWT     row = "GET  balance, PocketBase token"
	rowBarePost         row = "POST bare net/http"
	rowUse              row = "POST use, superuser"
	rowUseByKey         row = "POST use, API key"
	rowHoldSettle       row = "POST hold, then settle (pairs)"
	rowBatchSmall       row = "POST use/batch of 100 (uses)"
	rowBatchLarge       row = "POST use/batch of 1,000 (uses)"
	rowNaive            row = "POST naive use, superuser"
	rowTransaction      row = "SQLite, one row a transaction"
	rowLoop             row = "SQLite, a charge a transaction"
	rowLoopMany         row = "SQLite, 256 charges, many wallets"
	rowLoop64           row = "SQLite, 64 charges of a wallet"
	rowLoop256          row = "SQLite, 256 charges of a wallet"
	rowLoop1024         row = "SQLite, 1,024 charges of a wallet"
)

var rows = []row{
	rowBareGet, rowBalanceBySession, rowBalanceByKey, rowBalanceByJWT,
	rowBarePost, rowUse, rowUseByKey, rowHoldSettle, rowNaive,
	rowLoop64, rowLoop256, rowLoop1024, rowBatchSmall, rowBatchLarge,
	rowTransaction, rowLoop, rowLoopMany,
}

// loopShapes are the transactions of the loops.
var loopShapes = map[row]loopShape{
	rowTransaction: {},
	rowLoop:        {charges: 1},
	rowLoopMany:    {charges: 256}, // as many as the server puts together at most
	rowLoop64:      {charges: 64, oneWallet: true},
	rowLoop256:     {charges: 256, oneWallet: true},
	rowLoop1024:    {charges: 1024, oneWallet: true},
}

const (
	smallBatch, largeBatch = 100, 1_000
	// A few connections send all the batches that a server can take; and the naive
	// server queues for seconds at more than its own target asks for.
	maxBatchConnections = 16
	maxNaiveConnections = 64
)

// maxConnectionsOf is at how many connections a line still tells something.
func maxConnectionsOf(name row) int {
	if _, ok := loopShapes[name]; ok {
		return 1 // a loop has no connections
	}
	switch name {
	case rowBatchSmall, rowBatchLarge:
		return maxBatchConnections
	case rowNaive:
		return maxNaiveConnections
	}
	return maxConnections
}

// cell is one measurement.
type cell struct {
	row         row
	connections int
	run         func(context.Context) (figures, error)
}

// cells are in the order in which they are measured: at each number of
// connections a subject follows its reference at once, so that a machine that
// slows down slows both.
func (a *arena) cells(chosen settings) []cell {
	loads := a.loads()
	var all []cell
	for _, connections := range chosen.connections {
		for _, name := range rows {
			if connections > maxConnectionsOf(name) {
				continue
			}
			if sent, ok := loads[name]; ok {
				sent.connections, sent.seconds = connections, chosen.seconds
				all = append(all, cell{name, connections, sent.run})
				continue
			}
			all = append(all, cell{name, connections, a.looping(loopShapes[name], chosen.seconds)})
		}
	}
	return all
}

func (a *arena) looping(shape loopShape, seconds time.Duration) func(context.Context) (figures, error) {
	return func(ctx context.Context) (figures, error) { return a.loop.run(ctx, shape, seconds) }
}

func (a *arena) loads() map[row]load {
	bare, naive, server := hostOf(a.bare.URL), hostOf(a.naive.URL), hostOf(a.server.URL)
	toBare := func(requests [][]byte) load {
		return load{host: bare, requests: requests, pid: a.bare.command.Process.Pid}
	}
	toServer := func(requests [][]byte) load {
		return load{host: server, requests: requests, pid: a.server.PID()}
	}
	batches := func(uses int) load {
		sent := toServer(batchRequests(server, a.rootToken, a.wallets, uses))
		sent.each = uses
		return sent
	}
	pairs := toServer(holdRequests(server, a.rootToken, a.wallets))
	pairs.exchange = thenSettle(server, a.rootToken)
	return map[row]load{
		rowBareGet:          toBare([][]byte{rawRequest(http.MethodGet, bare, bareBalancePath, "", "")}),
		rowBalanceBySession: toServer(balanceRequests(server, a.accounts, func(of account) string { return of.session })),
		rowBalanceByKey:     toServer(balanceRequests(server, a.accounts, func(of account) string { return of.key })),
		rowBalanceByJWT:     toServer(balanceRequests(server, a.accounts, func(of account) string { return of.jwt })),
		rowBarePost:         toBare(useRequests(bare, bareUsePath, "", a.wallets)),
		rowUse:              toServer(useRequests(server, usePath, a.rootToken, a.wallets)),
		rowUseByKey:         toServer(keyUseRequests(server, a.accounts)),
		rowHoldSettle:       pairs,
		rowBatchSmall:       batches(smallBatch),
		rowBatchLarge:       batches(largeBatch),
		rowNaive: {
			host: naive, requests: useRequests(naive, naiveUsePath, a.naiveToken, a.wallets),
			pid: a.naive.command.Process.Pid,
		},
	}
}
