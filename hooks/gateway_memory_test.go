package hooks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"sokuji/internal/ledger"
)

const megabyte = 1 << 20

func TestLargeBodiesTakeRoomAndGiveItBack(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		body   io.Reader
		length int64 // that is known, or -1
		read   int   // bytes
		held   int64 // bytes of room, until it is freed
		err    error
	}{
		"small":                     {body: bytes.NewReader(make([]byte, 10)), length: 10, read: 10},
		"empty":                     {body: bytes.NewReader(nil), length: 0, read: 0},
		"small, of unknown length":  {body: bytes.NewReader(make([]byte, megabyte)), length: -1, read: megabyte},
		"small and broken":          {body: io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), length: -1, read: 3, err: broken},
		"large":                     {body: bytes.NewReader(make([]byte, 3*megabyte)), length: 3 * megabyte, read: 3 * megabyte, held: 3 * megabyte},
		"large, of unknown length":  {body: bytes.NewReader(make([]byte, 3*megabyte)), length: -1, read: 3 * megabyte, held: 3 * megabyte},
		"large and broken":          {body: io.MultiReader(bytes.NewReader(make([]byte, 2*megabyte)), iotest.ErrReader(broken)), length: -1, read: 2 * megabyte, held: 2 * megabyte, err: broken},
		"shorter than was said":     {body: bytes.NewReader(make([]byte, megabyte)), length: 3 * megabyte, read: megabyte, held: megabyte},
		"too long, by one byte":     {body: bytes.NewReader(make([]byte, 9*megabyte)), length: -1, read: 4*megabyte + 1, held: 4 * megabyte},
		"too long, as it says":      {body: bytes.NewReader(make([]byte, 9*megabyte)), length: 9 * megabyte, read: 4*megabyte + 1, held: 4 * megabyte},
		"just small, a byte longer": {body: bytes.NewReader(make([]byte, megabyte+1)), length: -1, read: megabyte + 1, held: megabyte + 1},
	} {
		t.Run(name, func(t *testing.T) {
			const total = 4 * megabyte
			room := newRequestRoom(total, 4*megabyte)
			read, free, err := room.read(t.Context(), test.body, test.length)
			if len(read) != test.read || !errors.Is(err, test.err) {
				t.Errorf("read %d bytes (%v), want %d (%v)", len(read), err, test.read, test.err)
			}
			if room.free.TryAcquire(total - test.held + 1) {
				t.Error("more room is left than was not read")
			}
			if !room.free.TryAcquire(total - test.held) {
				t.Error("less room is left than was not read")
			}
			free()
			if !room.free.TryAcquire(test.held) {
				t.Error("the room was not given back")
			}
		})
	}
}

// Without room a request is refused, and an answer waits for as long as its call
// may.
func TestWithoutRoom(t *testing.T) {
	large := func() io.Reader { return bytes.NewReader(make([]byte, 2*megabyte)) }
	requests := newRequestRoom(3*megabyte, 2*megabyte)
	_, free, err := requests.read(t.Context(), large(), 2*megabyte)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := requests.read(t.Context(), large(), -1); ledger.CodeOf(err) != ledger.CodeOverloaded {
		t.Errorf("the second is answered with %v", err)
	}
	if small, _, err := requests.read(t.Context(), strings.NewReader("{}"), 2); err != nil || len(small) != 2 {
		t.Errorf("a small one is answered with %v", err)
	}
	free()
	if _, _, err := requests.read(t.Context(), large(), -1); err != nil {
		t.Errorf("the third is answered with %v", err)
	}

	answers := newAnswerRoom(3*megabyte, 2*megabyte)
	_, free, err = answers.read(t.Context(), large(), -1)
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancelCause(t.Context())
	end(errDraining)
	if _, _, err := answers.read(ended, large(), -1); !errors.Is(err, errDraining) {
		t.Errorf("the one whose call ended got %v", err)
	}
	waited := make(chan error)
	go func() {
		_, _, err := answers.read(t.Context(), large(), -1)
		waited <- err
	}()
	free()
	if err := <-waited; err != nil {
		t.Errorf("the one that waited got %v", err)
	}
}

func TestALargeCallWithoutRoom(t *testing.T) {
	g := newGatewayHouse(t, completion)
	g.mint(g.alice, 100_000_000) // 2 MiB of text may be a million tokens
	long := chat("user", strings.Repeat("x", 2*megabyte))
	g.post("/v1/chat/completions", long).want(200)
	g.server.gateway.requests = newRequestRoom(megabyte, maxGatewayJSONBytes)
	got := g.post("/v1/chat/completions", long).wantOutcome("503 overloaded")
	if got.header.Get("Retry-After") == "" {
		t.Error("nothing says when to try again")
	}
	g.post("/v1/chat/completions", chat()).want(200)
	g.server.gateway.requests = newRequestRoom(2*megabyte+1_000, maxGatewayJSONBytes)
	for range 3 { // one after the other they have room
		g.post("/v1/chat/completions", long).want(200)
		g.post("/v1/chat/completions", strings.Replace(long, `"model"`, `"mode"`, 1)).want(http.StatusBadRequest)
	}
}
