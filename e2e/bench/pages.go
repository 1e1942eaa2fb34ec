package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"sokuji/e2e/testserver"
)

const (
	pageRows = 50
	// walkRows is the largest page, to walk to the far end in few requests.
	walkRows = 500
)

// comparePages reads a page of a long wallet shortly behind its newest entry, and
// one at its far end.
func comparePages(ctx context.Context, l *lab) ([]finding, error) {
	folder, err := l.filled(ctx, "pages", filling{wallets: 1, rows: l.sizes.pageEntries + pageRows, mints: true})
	if err != nil {
		return nil, err
	}
	server, err := l.serve(folder)
	if err != nil {
		return nil, err
	}
	root, err := server.Superuser(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(l.progress, "walking through %d entries\n", l.sizes.pageEntries)
	var contenders []contender
	for _, depth := range []int{pageRows, l.sizes.pageEntries} {
		cursor, err := walk(ctx, server, root, depth)
		if err != nil {
			return nil, err
		}
		host := hostOf(server.URL)
		request := rawRequest(http.MethodGet, host, pagePath(pageRows, cursor), root, "")
		read := load{host: host, requests: [][]byte{request}, connections: 1, seconds: l.seconds, pid: server.PID()}
		contenders = append(contenders, contender{fmt.Sprintf("page at entry %d", depth), read.run})
	}
	seen, err := l.contest(ctx, contenders)
	if err != nil {
		return nil, err
	}
	return []finding{{
		what:     fmt.Sprintf("p50 at 1: a page of %d behind %d entries : behind %d", pageRows, l.sizes.pageEntries, pageRows),
		measured: milliseconds(seen[1].p50), compared: milliseconds(seen[0].p50),
		ratio: float64(seen[1].p50) / float64(seen[0].p50), most: 1.5, better: 1.1,
	}}, nil
}

func pagePath(limit int, cursor string) string {
	query := url.Values{"userId": {walletID(0)}, "limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	return ledgerPath + "?" + query.Encode()
}

// walk goes from the newest entry past so many, as a client would, and returns
// the cursor there.
func walk(ctx context.Context, server *testserver.Server, token string, entries int) (cursor string, err error) {
	for passed := 0; passed < entries; {
		limit := min(walkRows, entries-passed)
		var page struct {
			Pagination struct {
				NextCursor string `json:"nextCursor"`
			} `json:"pagination"`
		}
		if _, err := server.CallJSON(ctx, testserver.Request{Path: pagePath(limit, cursor), Token: token}, &page); err != nil {
			return "", err
		}
		if cursor = page.Pagination.NextCursor; cursor == "" {
			return "", fmt.Errorf("the ledger ends before entry %d", entries)
		}
		passed += limit
	}
	return cursor, nil
}
