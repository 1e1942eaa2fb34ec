package hooks

import (
	"io"
	"strings"
	"testing"
)

// A body of 64 KiB, or 2 MiB of a batch, or 32 MiB of a call, is read, one byte more is 413, whether its length was said or
// not.
func TestOversizedBodiesAre413(t *testing.T) {
	h := newHouse(t)
	before := h.snapshot()
	for _, row := range roleMatrix {
		if row.path == "/v1/audio/transcriptions" {
			continue // takes no JSON: see TestAnUploadIsBounded
		}
		if row.body == nil && row.path != "/api/user/api-key/rotate" {
			continue
		}
		if strings.HasPrefix(row.path, "/v1/") {
			continue // their bound is another, and so are their callers: see gateway_routes_test.go
		}
		as := h.asRoot()
		if strings.HasPrefix(row.path, "/api/user/") {
			as = h.asAlice()
		}
		want := "413 invalid_request"
		if strings.HasPrefix(row.path, "/api/auth/") {
			want, as = "413 PAYLOAD_TOO_LARGE", h.asAlice()
		}
		most := maxBodyBytes
		if row.path == "/api/wallet/use/batch" {
			most = maxBatchBodyBytes
		}
		if strings.HasPrefix(row.path, "/v1/") {
			most, as = maxGatewayJSONBytes, h.asAlice()
		}
		body := `{"x":"` + strings.Repeat("x", most+1-len(`{"x":""}`)) + `"}`
		t.Run(row.route()+" with its length", func(t *testing.T) {
			h := h.in(t)
			h.do(row.method, row.path, as, body).wantOutcome(want).names("ody")
		})
		t.Run(row.route()+" in chunks", func(t *testing.T) {
			h := h.in(t)
			request := h.request(row.method, row.path, as, body)
			request.Body, request.ContentLength, request.GetBody = io.NopCloser(strings.NewReader(body)), -1, nil
			h.send(request).wantOutcome(want).names("ody")
		})
	}
	h.unchanged(before)
}

func TestAnUploadIsBounded(t *testing.T) {
	g := newGatewayHouse(t, completion)
	body, kind := upload(t, maxGatewayFormBytes, "model", testModel)
	g.do("POST", "/v1/audio/transcriptions", bearer(g.key), body, "Content-Type", kind).wantOutcome("413 invalid_request").names("ody")
	if g.up.count() != 0 {
		t.Error("the provider was called")
	}
}

func TestABodyAtTheBoundIsRead(t *testing.T) {
	h := newHouse(t)
	start := `{"userId":"` + h.alice.Id + `","amount":1,"ignored":"`
	body := start + strings.Repeat("x", maxBodyBytes-len(start)-2) + `"}`
	h.do("POST", "/api/wallet/mint", h.asRoot(), body).want(200)
}

// in returns the same house for a subtest, so that it fails and not its parent.
func (h *house) in(t *testing.T) *house {
	inner := *h
	inner.t = t
	return &inner
}
