package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

const (
	// demoTokens is what the demo's user has: about ten dollars.
	demoTokens = 1_000_000
	// demoPayment makes a second run on the same folder mint nothing more.
	demoPayment = "sokuji-demo"
	// maxDemoAnswerBytes bounds what is read of an answer.
	maxDemoAnswerBytes = 1 << 20
)

// demoClient furnishes a demo by the routes that everybody has.
type demoClient struct{ base string }

// furnish signs the user up, or in, funds the wallet and returns the user's key.
func (c *demoClient) furnish(ctx context.Context, people demoPeople) (string, error) {
	root, err := c.superuser(ctx, people)
	if err != nil {
		return "", err
	}
	userID, token, err := c.user(ctx, people)
	if err != nil {
		return "", err
	}
	err = c.call(ctx, http.MethodPost, "/api/wallet/mint", root, map[string]any{
		"userId": userID, "amount": demoTokens, "externalEventId": demoPayment, "description": "tokens for the demo",
	}, nil)
	if err != nil {
		return "", err
	}
	var issued struct {
		APIKey string `json:"apiKey"`
	}
	err = c.call(ctx, http.MethodGet, "/api/user/api-key", token, nil, &issued)
	return issued.APIKey, err
}

func (c *demoClient) superuser(ctx context.Context, people demoPeople) (token string, err error) {
	var signedIn struct {
		Token string `json:"token"`
	}
	err = c.call(ctx, http.MethodPost, "/api/collections/_superusers/auth-with-password", "", map[string]any{
		"identity": people.SuperuserEmail, "password": people.SuperuserPassword,
	}, &signedIn)
	return signedIn.Token, err
}

func (c *demoClient) user(ctx context.Context, people demoPeople) (id, token string, err error) {
	var account struct {
		Token string `json:"token"`
		User  struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	form := map[string]any{"name": "Demo", "email": people.UserEmail, "password": people.UserPassword}
	if err = c.call(ctx, http.MethodPost, "/api/auth/sign-in/email", "", form, &account); err != nil {
		err = c.call(ctx, http.MethodPost, "/api/auth/sign-up/email", "", form, &account)
	}
	return account.User.ID, account.Token, err
}

// call sends JSON and reads JSON. Anything but 200 is an error.
func (c *demoClient) call(ctx context.Context, method, path, token string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, demoHTTPTimeout)
	defer cancel()
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, reader)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxDemoAnswerBytes))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s answers %d: %s", method, path, answer.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}
