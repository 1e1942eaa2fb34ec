package testserver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// requestTimeout bounds every call; it is longer than the server's drain.
	requestTimeout = 40 * time.Second
	// idleConnections is how many parallel clients find their connection again.
	idleConnections = 1024
)

// client is shared by all servers of the process, so that load is spent on
// requests and not on connections.
var client = &http.Client{
	Timeout: requestTimeout,
	Transport: &http.Transport{
		MaxIdleConns:        idleConnections,
		MaxIdleConnsPerHost: idleConnections,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	},
}

// Request is one call. Method is GET when empty, or POST when there is a body.
type Request struct {
	Method string
	Path   string
	// Token becomes "Authorization: Bearer".
	Token string
	// Body is sent as JSON; a []byte is sent as it is.
	Body   any
	Header http.Header
}

// Answer is what came back, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Decode reads the body as JSON.
func (a Answer) Decode(target any) error {
	if err := json.Unmarshal(a.Body, target); err != nil {
		return fmt.Errorf("decode %q: %w", a.Body, err)
	}
	return nil
}

// StatusError is an answer that was not the one hoped for.
type StatusError struct {
	Status     int
	Code       string // the body's code, where it has one
	RetryAfter string // the header, empty when there is none
	Body       string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("status %d: %s", e.Status, e.Body)
}

// Call makes one request. The error is about the connection only: every status
// is an answer. No call is ever repeated behind the caller's back.
func (s *Server) Call(ctx context.Context, r Request) (Answer, error) {
	request, err := s.newRequest(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

// CallJSON makes one request and decodes the body of a 200 into target, which
// may be nil. Any other status is a *StatusError.
func (s *Server) CallJSON(ctx context.Context, r Request, target any) (Answer, error) {
	return s.callJSON(ctx, r, http.StatusOK, target)
}

func (s *Server) callJSON(ctx context.Context, r Request, success int, target any) (Answer, error) {
	answer, err := s.Call(ctx, r)
	if err != nil {
		return answer, err
	}
	if answer.Status != success {
		var body struct {
			Code any `json:"code"`
		}
		_ = json.Unmarshal(answer.Body, &body) // not every error has a code
		code, _ := body.Code.(string)
		return answer, &StatusError{
			Status: answer.Status, Code: code, RetryAfter: answer.Header.Get("Retry-After"), Body: string(answer.Body),
		}
	}
	if target == nil {
		return answer, nil
	}
	return answer, answer.Decode(target)
}

func (s *Server) newRequest(ctx context.Context, r Request) (*http.Request, error) {
	body, ok := r.Body.([]byte)
	if !ok && r.Body != nil {
		var err error
		if body, err = json.Marshal(r.Body); err != nil {
			return nil, err
		}
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
		if r.Body != nil {
			method = http.MethodPost
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+r.Path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	// net/http repeats requests with an Idempotency-Key by itself when it can
	// read the body again; a test must see each of its own requests.
	request.GetBody = nil
	for name, values := range r.Header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	if r.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if r.Token != "" {
		request.Header.Set("Authorization", "Bearer "+r.Token)
	}
	return request, nil
}
