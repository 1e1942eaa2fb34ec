package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

func TestDialTriesTheNextProviderOnlyWhereItMayDoBetter(t *testing.T) {
	refused := errors.New("refused")
	tests := map[string]struct {
		answers map[string]int // by provider: the status; 101 is a socket
		tried   []string
		took    string
		status  int // of the failure
	}{
		"the first":           {map[string]int{"one": 101}, []string{"one"}, "one", 0},
		"no answer":           {map[string]int{"one": 0, "two": 101}, []string{"one", "two"}, "two", 0},
		"its own fault":       {map[string]int{"one": 502, "two": 101}, []string{"one", "two"}, "two", 0},
		"our key there":       {map[string]int{"one": 401, "two": 101}, []string{"one", "two"}, "two", 0},
		"the request's fault": {map[string]int{"one": 400, "two": 101}, []string{"one"}, "", 400},
		"nobody":              {map[string]int{"one": 500, "two": 429}, []string{"one", "two"}, "", 429},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client := NewClient(nil, time.Now)
			upstreams := []Upstream{{Provider: Provider{Name: "one", Priority: 1}}, {Provider: Provider{Name: "two", Priority: 2}}}
			var tried []string
			took, err := client.Dial(t.Context(), upstreams, func(_ context.Context, upstream Upstream) (int, error) {
				tried = append(tried, upstream.Name)
				if status := test.answers[upstream.Name]; status != http.StatusSwitchingProtocols {
					return status, refused
				}
				return http.StatusSwitchingProtocols, nil
			})
			if !slices.Equal(tried, test.tried) || took.Name != test.took {
				t.Errorf("tried were %v, and %q took it, want %v and %q", tried, took.Name, test.tried, test.took)
			}
			failure, failed := errors.AsType[*Failure](err)
			if failed != (test.took == "") || failed && (failure.Status != test.status || !errors.Is(failure, refused)) {
				t.Errorf("the failure is %v, want status %d", err, test.status)
			}
		})
	}
}

func TestDialRemembersWhoFails(t *testing.T) {
	client := NewClient(nil, time.Now)
	upstreams := []Upstream{{Provider: Provider{Name: "one", Priority: 1}}, {Provider: Provider{Name: "two", Priority: 2}}}
	var first string
	for range failuresToRest + 1 {
		first = ""
		_, err := client.Dial(t.Context(), upstreams, func(_ context.Context, upstream Upstream) (int, error) {
			if first == "" {
				first = upstream.Name
			}
			if upstream.Name == "one" {
				return 0, errors.New("no answer")
			}
			return http.StatusSwitchingProtocols, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if first != "two" {
		t.Errorf("%q is tried first, although it failed %d times", first, failuresToRest)
	}
}

func TestDialWithoutAProvider(t *testing.T) {
	if _, err := NewClient(nil, time.Now).Dial(t.Context(), nil, nil); !errors.Is(err, errNoUpstream) {
		t.Errorf("the error is %v", err)
	}
}

// TestSocketsSpeakHTTP1: HTTP/2 has no upgrade.
func TestSocketsSpeakHTTP1(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Protocol", r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	transport := NewSocketTransport(Guard{AllowPrivate: true})
	transport.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	transport.CloseIdleConnections()
	if got := response.Header.Get("X-Protocol"); got != "HTTP/1.1" {
		t.Errorf("the protocol is %s", got)
	}
}
