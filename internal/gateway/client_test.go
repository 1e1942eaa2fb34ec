package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// provider makes an upstream of a handler.
func provider(t *testing.T, name string, serve http.HandlerFunc) Upstream {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	return Upstream{Model: "m", Provider: Provider{Name: name, Kind: Compatible, BaseURL: address(t, server.URL), Priority: int(name[0])}}
}

func answers(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// hangs answers nothing until the caller goes.
func hangs(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func breaks(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func newTestClient() *Client {
	return NewClient(NewTransport(Guard{AllowPrivate: true}), time.Now)
}

// send is the smallest call, which takes everything for an answer.
var send = Exchange{Request: func(ctx context.Context, upstream Upstream) (*http.Request, error) {
	return upstream.NewRequest(ctx, http.MethodPost, "chat/completions", strings.NewReader("{}"))
}}

func TestFailover(t *testing.T) {
	good := answers(200, "good")
	for name, c := range map[string]struct {
		first  http.HandlerFunc
		want   string // who answers, or the status that comes back
		health bool   // the first is still well after failuresToRest calls
	}{
		"answers":              {good, "a", true},
		"is broken":            {answers(500, "x"), "b", false},
		"is overloaded":        {answers(503, "x"), "b", false},
		"has no quota":         {answers(429, "x"), "b", false},
		"does not know us":     {answers(401, "x"), "b", false},
		"forbids us":           {answers(403, "x"), "b", false},
		"sends us on":          {answers(302, "x"), "b", false},
		"breaks the line":      {breaks, "b", false},
		"answers nothing":      {answers(200, ""), "b", false},
		"refuses the request":  {answers(400, "x"), "400", true},
		"does not know that":   {answers(404, "x"), "404", true},
		"finds it unspeakable": {answers(422, "x"), "422", true},
	} {
		t.Run(name, func(t *testing.T) {
			client := newTestClient()
			upstreams := []Upstream{provider(t, "a", c.first), provider(t, "b", good)}
			for range failuresToRest {
				answer, err := client.Call(t.Context(), t.Context(), upstreams, send)
				got := ""
				if failure, failed := errors.AsType[*Failure](err); failed {
					got = fmt.Sprint(failure.Status)
				} else {
					got = answer.Upstream.Name
					answer.Body.Close()
				}
				if got != c.want {
					t.Fatalf("%s, want %s", got, c.want)
				}
			}
			if client.health.Rests("a") == c.health {
				t.Errorf("the first rests: %v", !c.health)
			}
		})
	}
}

// What the last provider said is what comes back; one that said something beats
// one that said nothing.
func TestTheLastFailure(t *testing.T) {
	client := newTestClient()
	_, err := client.Call(t.Context(), t.Context(), []Upstream{provider(t, "a", answers(500, "why")), provider(t, "b", breaks)}, send)
	failure, failed := errors.AsType[*Failure](err)
	if !failed || failure.Status != 500 || string(failure.Body) != "why" || failure.Upstream.Name != "a" {
		t.Errorf("%+v", failure)
	}
	if _, err := client.Call(t.Context(), t.Context(), nil, send); err == nil {
		t.Error("nobody answered, and that is no error")
	}
	_, err = client.Call(t.Context(), t.Context(), []Upstream{{Provider: Provider{Name: "a", KeyError: errors.New("no key")}}}, send)
	if err == nil || !strings.Contains(err.Error(), "no key") {
		t.Errorf("%v", err)
	}
}

func TestTimeouts(t *testing.T) {
	begins := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begin")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	for name, c := range map[string]struct {
		serve    http.HandlerFunc
		timeouts Timeouts
		want     error
	}{
		"before the first byte": {hangs, Timeouts{FirstByte: time.Millisecond}, ErrFirstByteTimeout},
		"in the middle":         {begins, Timeouts{Idle: time.Millisecond}, ErrIdleTimeout},
		"in all":                {begins, Timeouts{Total: 50 * time.Millisecond}, ErrTotalTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			upstream := provider(t, "a", c.serve)
			upstream.Timeouts = c.timeouts
			answer, err := newTestClient().Call(t.Context(), t.Context(), []Upstream{upstream}, send)
			if err == nil {
				_, err = io.ReadAll(answer.Body)
				answer.Body.Close()
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// The call outlives its client for a while, and no longer.
func TestTheClientGoes(t *testing.T) {
	client := newTestClient()
	client.DrainTime = time.Millisecond
	gone, leave := context.WithCancel(t.Context())
	leave()
	_, err := client.Call(t.Context(), gone, []Upstream{provider(t, "a", hangs), provider(t, "b", hangs)}, send)
	failure, failed := errors.AsType[*Failure](err)
	if !failed || !errors.Is(err, ErrClientGone) || failure.Upstream.Name != "a" {
		t.Errorf("%v: nobody waits for a second provider", err)
	}
	if client.health.Rests("a") {
		t.Error("the provider is blamed")
	}

	client.DrainTime = time.Minute
	answer, err := client.Call(t.Context(), gone, []Upstream{provider(t, "a", answers(200, "short"))}, send)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(answer.Body); err != nil || string(text) != "short" {
		t.Errorf("%q, %v", text, err)
	}
	answer.Body.Close()

	answer, err = client.Call(t.Context(), gone, []Upstream{provider(t, "a", answers(200, strings.Repeat("x", DrainBytes+copyBufferBytes+1)))}, send)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, answer.Body); !errors.Is(err, ErrClientGone) || n > DrainBytes+2*copyBufferBytes {
		t.Errorf("%d bytes were read on, %v", n, err)
	}
	answer.Body.Close()
}

// A client that goes in the middle of a long event still gets its count: the event
// is read to its end, and no other.
func TestTheDrainFinishesAnEvent(t *testing.T) {
	long := strings.Repeat("x", DrainBytes)
	for name, c := range map[string]struct {
		line string
		read bool // whether the count at the end of the event comes
		most int64
	}{
		"in the middle of it":  {"data: " + long + long + `{"usage":1}` + "\n\n", true, 3 * DrainBytes},
		"with other lines":     {"data: " + long + long + "{\"usage\":1}\r\n\r\n", true, 3 * DrainBytes},
		"an event without end": {"data: " + strings.Repeat(long, 20) + `{"usage":1}`, false, 3*DrainBytes + drainEventBytes},
	} {
		t.Run(name, func(t *testing.T) {
			gone, leave := context.WithCancel(t.Context())
			leave()
			serve := func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				io.WriteString(w, c.line+strings.Repeat("data: more\n\n", 100_000))
			}
			answer, err := newTestClient().Call(t.Context(), gone, []Upstream{provider(t, "a", serve)}, send)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			read, err := io.ReadAll(answer.Body)
			if !errors.Is(err, ErrClientGone) || bytes.Contains(read, []byte("usage")) != c.read || int64(len(read)) > c.most {
				t.Errorf("%d bytes were read, %v", len(read), err)
			}
		})
	}
}

// What is no answer is tried at another provider, which gets all of the first's
// beginning to judge by.
func TestTheCheckOfAnAnswer(t *testing.T) {
	piecewise := func(kind string, pieces ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			for _, piece := range pieces {
				io.WriteString(w, piece)
				http.NewResponseController(w).Flush()
				time.Sleep(time.Millisecond)
			}
		}
	}
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		seen  string
		cause error
		rests bool
	}{
		"a whole answer":   {piecewise("application/json; charset=utf-8", `{"err`, `or":7`, `}`), `{"error":7}`, ErrFailedAnswer, false},
		"the first event":  {piecewise("Text/Event-Stream", "da", "ta: 1\r", "\n\r\n"), "data: 1\r\n\r\n", ErrFailedAnswer, false},
		"only that":        {piecewise("text/event-stream", "data: 1\n\n", "data: 2\n\n"), "data: 1\n\n", ErrFailedAnswer, false},
		"another type":     {piecewise("text/html", "<html>"), "<html>", ErrOtherAnswer, true},
		"nothing wrong":    {piecewise("application/json", `{}`), `{}`, nil, false},
		"an unclear cause": {piecewise("application/json", `{}`), `{}`, errors.New("why"), true},
	} {
		t.Run(name, func(t *testing.T) {
			client := newTestClient()
			upstreams := []Upstream{provider(t, "a", c.serve), provider(t, "b", answers(200, "good"))}
			exchange := Exchange{Request: send.Request, Check: func(_ http.Header, beginning []byte) error {
				if string(beginning) == "good" {
					return nil
				}
				if string(beginning) != c.seen {
					t.Errorf("the beginning is %q, want %q", beginning, c.seen)
				}
				return c.cause
			}}
			for range failuresToRest {
				answer, err := client.Call(t.Context(), t.Context(), upstreams, exchange)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(answer.Body)
				answer.Body.Close()
				if err != nil || c.cause != nil && string(text) != "good" || c.cause == nil && string(text) != c.seen {
					t.Errorf("%q, %v", text, err)
				}
			}
			if client.health.Rests("a") != c.rests {
				t.Errorf("the first rests: %v", !c.rests)
			}
			if c.cause == nil {
				return
			}
			if _, err := client.Call(t.Context(), t.Context(), upstreams[:1], exchange); !errors.Is(err, c.cause) {
				t.Errorf("%v, want %v", err, c.cause)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	for kind, want := range map[string][3]bool{ // a stream, JSON, sound
		"":                               {false, true, true},
		"application/json":               {false, true, false},
		"Application/JSON;charset=utf-8": {false, true, false},
		"application/problem+json":       {false, true, false},
		"text/plain; charset=utf-8":      {false, true, false},
		"text/html":                      {false, false, false},
		"application/xml":                {false, false, false},
		"text/event-stream":              {true, false, false},
		"audio/mpeg":                     {false, false, true},
		"application/octet-stream":       {false, true, true},
		"application/json; =":            {false, true, false},
	} {
		header := http.Header{"Content-Type": {kind}}
		if got := [3]bool{IsStream(header), MayBeJSON(header), MayBeSound(header)}; got != want {
			t.Errorf("%q: %v, want %v", kind, got, want)
		}
	}
}

// The server's end cuts a call with its reason.
func TestTheServerEnds(t *testing.T) {
	draining := errors.New("draining")
	ctx, cut := context.WithCancelCause(t.Context())
	cut(draining)
	client := newTestClient()
	_, err := client.Call(ctx, t.Context(), []Upstream{provider(t, "a", hangs), provider(t, "b", hangs)}, send)
	if !errors.Is(err, draining) || client.health.Rests("a") {
		t.Errorf("%v", err)
	}
}

// Compressed answers are unpacked, and connections are used again.
func TestKeepAlive(t *testing.T) {
	addresses := make(map[string]bool)
	upstream := provider(t, "a", func(w http.ResponseWriter, r *http.Request) {
		addresses[r.RemoteAddr] = true
		answers(200, "text")(w, r)
	})
	client := newTestClient()
	for range 3 {
		answer, err := client.Call(t.Context(), t.Context(), []Upstream{upstream}, send)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(answer.Body); err != nil || string(text) != "text" {
			t.Errorf("%q, %v", text, err)
		}
		answer.Body.Close()
	}
	if len(addresses) != 1 {
		t.Errorf("three calls took %d connections", len(addresses))
	}
}

func TestForm(t *testing.T) {
	for name, size := range map[string]int{"small": 10, "large": maxFormMemoryBytes + 100} {
		t.Run(name, func(t *testing.T) {
			file := bytes.Repeat([]byte("a"), size)
			form := readForm(t, formBody(file, "model", "whisper-1", "language", "en", "timestamp_granularities[]", "word", "timestamp_granularities[]", "segment"))
			defer form.Close()
			if form.FileBytes() != int64(size) || (form.file.disk != nil) != (size > maxFormMemoryBytes) {
				t.Fatalf("%d bytes, on disk: %v", form.FileBytes(), form.file.disk != nil)
			}
			changed := form.With("model", "own-name")
			for range 2 { // for two providers
				kind, length, body, err := changed.Encode()
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(body)
				if err != nil || int64(len(text)) != length {
					t.Fatalf("%d bytes, said %d, %v", len(text), length, err)
				}
				_, boundary, _ := strings.Cut(kind, "boundary=")
				again, err := ReadForm(bytes.NewReader(text), boundary)
				if err != nil {
					t.Fatal(err)
				}
				model, _ := again.Field("model")
				language, _ := again.Field("language")
				if model != "own-name" || language != "en" || again.FileBytes() != int64(size) || len(again.fields) != 4 {
					t.Errorf("the form became %+v", again.fields)
				}
				again.Close()
			}
			var one, two bytes.Buffer
			form.WriteTo(&one)
			changed.WriteTo(&two)
			if bytes.Equal(one.Bytes(), two.Bytes()) {
				t.Error("two forms look the same")
			}
		})
	}
}

const boundary = "limit"

// formBody writes a form; nil sends no file.
func formBody(file []byte, fields ...string) string {
	var body strings.Builder
	for i := 0; i < len(fields); i += 2 {
		fmt.Fprintf(&body, "--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", boundary, fields[i], fields[i+1])
	}
	if file != nil {
		fmt.Fprintf(&body, "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n%s\r\n", boundary, file)
	}
	return body.String() + "--" + boundary + "--\r\n"
}

func readForm(t *testing.T, body string) *Form {
	t.Helper()
	form, err := ReadForm(strings.NewReader(body), boundary)
	if err != nil {
		t.Fatal(err)
	}
	return form
}

func TestFormRefuses(t *testing.T) {
	var many []string
	for i := range maxFormFields + 1 {
		many = append(many, fmt.Sprint("f", i), "v")
	}
	file := []byte("a")
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"no file":         {formBody(nil, "model", "m"), ErrNoFile},
		"two files":       {strings.TrimSuffix(formBody(file), "--"+boundary+"--\r\n") + formBody(file), ErrTwoFiles},
		"two models":      {formBody(file, "model", "cheap", "model", "dear"), ErrRepeatedField},
		"many fields":     {formBody(file, many...), ErrFormTooLarge},
		"a large field":   {formBody(file, "prompt", strings.Repeat("x", maxFormFieldBytes+1)), ErrFormTooLarge},
		"a cut form":      {strings.TrimSuffix(formBody(file), "\r\n--"+boundary+"--\r\n"), io.ErrUnexpectedEOF},
		"an empty answer": {"", io.EOF},
	} {
		form, err := ReadForm(strings.NewReader(c.body), boundary)
		if err == nil || c.want != io.EOF && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, form, err, c.want)
		}
	}
}

func FuzzReadForm(f *testing.F) {
	f.Add([]byte(formBody([]byte("a"), "model", "m")))
	f.Add([]byte(formBody(nil)))
	f.Fuzz(func(t *testing.T, body []byte) {
		form, err := ReadForm(bytes.NewReader(body), boundary)
		if err != nil {
			return
		}
		defer form.Close()
		if form.FileBytes() > int64(len(body)) || len(form.fields) > maxFormFields {
			t.Fatalf("%d bytes hold a file of %d and %d fields", len(body), form.FileBytes(), len(form.fields))
		}
		if _, length, reader, err := form.Encode(); err == nil {
			if n, err := io.Copy(io.Discard, reader); err != nil || n != length {
				t.Fatalf("%d bytes, said %d, %v", n, length, err)
			}
		}
	})
}
