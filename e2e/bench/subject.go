package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"sokuji/e2e/testserver"
)

// Routes of the server that are measured.
const (
	balancePath = "/api/wallet/balance"
	usePath     = "/api/wallet/use"
	batchPath   = "/api/wallet/use/batch"
	holdsPath   = "/api/wallet/holds"
	ledgerPath  = "/api/wallet/ledger"
)

// account is a user with every credential that opens a wallet.
type account struct {
	userID, session, jwt, key string
}

// newAccount signs a user up and tops the wallet up, without which there is no key.
func newAccount(ctx context.Context, server *testserver.Server) (account, error) {
	user, err := server.NewUser(ctx)
	if err != nil {
		return account{}, fmt.Errorf("sign up: %w", err)
	}
	made := account{userID: user.ID, session: user.Token}
	if _, err := server.Mint(ctx, testserver.Op{UserID: user.ID, Amount: walletTokens}); err != nil {
		return made, fmt.Errorf("mint: %w", err)
	}
	if made.jwt, err = signIn(ctx, server, user); err != nil {
		return made, fmt.Errorf("sign in: %w", err)
	}
	if made.key, err = defaultKey(ctx, server, user); err != nil {
		return made, fmt.Errorf("API key: %w", err)
	}
	root, err := server.Superuser(ctx)
	if err != nil {
		return made, err
	}
	return made, allow(ctx, server, root, user.ID, "wallet:read", "wallet:charge")
}

func signIn(ctx context.Context, server *testserver.Server, user testserver.User) (string, error) {
	var answer struct {
		Token string `json:"token"`
	}
	_, err := server.CallJSON(ctx, testserver.Request{
		Path: "/api/collections/users/auth-with-password",
		Body: map[string]string{"identity": user.Email, "password": user.Password},
	}, &answer)
	return answer.Token, err
}

func defaultKey(ctx context.Context, server *testserver.Server, user testserver.User) (string, error) {
	var answer struct {
		APIKey string `json:"apiKey"`
	}
	_, err := server.CallJSON(ctx, testserver.Request{Path: "/api/user/api-key", Token: user.Token}, &answer)
	return answer.APIKey, err
}

// allow gives the user's key other scopes, as an admin would in the dashboard.
func allow(ctx context.Context, server *testserver.Server, root, userID string, scopes ...string) error {
	const keys = "/api/collections/api_keys/records"
	var found struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	filter := "?filter=user%3D%22" + userID + "%22"
	if _, err := server.CallJSON(ctx, testserver.Request{Path: keys + filter, Token: root}, &found); err != nil {
		return fmt.Errorf("find the key: %w", err)
	}
	for _, key := range found.Items {
		_, err := server.CallJSON(ctx, testserver.Request{
			Method: http.MethodPatch, Path: keys + "/" + key.ID, Token: root,
			Body: map[string]any{"scopes": scopes},
		}, nil)
		if err != nil {
			return fmt.Errorf("give the key other scopes: %w", err)
		}
	}
	return nil
}

func hostOf(url string) string { return strings.TrimPrefix(url, "http://") }

// balanceRequests read each account's wallet, by the credential that pick takes.
func balanceRequests(host string, accounts []account, pick func(account) string) [][]byte {
	var requests [][]byte
	for _, one := range accounts {
		requests = append(requests, rawRequest(http.MethodGet, host, balancePath, pick(one), ""))
	}
	return requests
}

// keyUseRequests charge each account's own wallet.
func keyUseRequests(host string, accounts []account) [][]byte {
	var requests [][]byte
	for _, one := range accounts {
		requests = append(requests, rawRequest(http.MethodPost, host, usePath, one.key, `{"amount":1}`))
	}
	return requests
}

// useRequests charge every wallet in turn, each named in the body.
func useRequests(host, path, token string, wallets int) [][]byte {
	requests := make([][]byte, wallets)
	for i := range requests {
		requests[i] = rawRequest(http.MethodPost, host, path, token, fmt.Sprintf(`{"userId":%q,"amount":1}`, walletID(i)))
	}
	return requests
}

// batchRequests charge every wallet in turn, so many times in one request.
func batchRequests(host, token string, wallets, uses int) [][]byte {
	list := strings.TrimSuffix(strings.Repeat(`{"amount":1},`, uses), ",")
	requests := make([][]byte, wallets)
	for i := range requests {
		requests[i] = rawRequest(http.MethodPost, host, batchPath, token, fmt.Sprintf(`{"userId":%q,"uses":[%s]}`, walletID(i), list))
	}
	return requests
}

// holdRequests reserve tokens in every wallet in turn.
func holdRequests(host, token string, wallets int) [][]byte {
	return useRequests(host, holdsPath, token, wallets)
}

// thenSettle opens the hold of a request and settles it in full. The second
// request names the hold alone, the shortest that the server takes.
func thenSettle(host, token string) func(*connection, []byte) error {
	return func(c *connection, request []byte) error {
		var opened struct {
			Hold struct {
				ID string `json:"id"`
			} `json:"hold"`
		}
		if err := c.exchange(request, &opened); err != nil {
			return err
		}
		return c.exchange(rawRequest(http.MethodPost, host, holdsPath+"/"+opened.Hold.ID+"/settle", token, `{"amount":1}`), nil)
	}
}
