package main

import (
	"context"
	"net/http"
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
	rowNaive            row = "POST naive use, superuser"
	rowLoop             row = "SQLite, a charge a transaction"
	rowLoopBatch        row = "SQLite, 256 charges a transaction"
)

var rows = []row{
	rowBareGet, rowBalanceBySession, rowBalanceByKey, rowBalanceByJWT,
	rowBarePost, rowUse, rowUseByKey, rowNaive, rowLoop, rowLoopBatch,
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
	requests := a.requests()
	var all []cell
	for _, connections := range chosen.connections {
		for _, name := range rows {
			if to, ok := requests[name]; ok {
				sent := load{to.host, to.requests, connections, chosen.seconds}
				all = append(all, cell{name, connections, sent.run})
			} else if connections == 1 { // a loop has no connections
				all = append(all, cell{name, connections, a.looping(name, chosen)})
			}
		}
	}
	return all
}

func (a *arena) looping(name row, chosen settings) func(context.Context) (figures, error) {
	charges := 1
	if name == rowLoopBatch {
		charges = loopBatch
	}
	return func(ctx context.Context) (figures, error) { return a.loop.run(ctx, charges, chosen.seconds) }
}

// target is what a line sends, and to whom.
type target struct {
	host     string
	requests [][]byte
}

func (a *arena) requests() map[row]target {
	bare, naive, server := hostOf(a.bare.URL), hostOf(a.naive.URL), hostOf(a.server.URL)
	return map[row]target{
		rowBareGet:          {bare, [][]byte{rawRequest(http.MethodGet, bare, bareBalancePath, "", "")}},
		rowBalanceBySession: {server, balanceRequests(server, a.accounts, func(of account) string { return of.session })},
		rowBalanceByKey:     {server, balanceRequests(server, a.accounts, func(of account) string { return of.key })},
		rowBalanceByJWT:     {server, balanceRequests(server, a.accounts, func(of account) string { return of.jwt })},
		rowBarePost:         {bare, useRequests(bare, bareUsePath, "", a.wallets)},
		rowUse:              {server, useRequests(server, usePath, a.rootToken, a.wallets)},
		rowUseByKey:         {server, keyUseRequests(server, a.accounts)},
		rowNaive:            {naive, useRequests(naive, naiveUsePath, a.naiveToken, a.wallets)},
	}
}
