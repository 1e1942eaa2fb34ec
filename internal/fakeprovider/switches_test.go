package fakeprovider

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

const streamed = `{"model":"m","stream":true,` + hello + `}`

func TestParseSwitches(t *testing.T) {
	got, err := ParseSwitches(" slow=50ms, cut=3,status=429,retry-after=2,gzip,usage=zero,nodone=false,in=0 ")
	want := noSwitches()
	want.Slow, want.Cut, want.Status, want.RetryAfter, want.Gzip, want.Usage, want.In = 50*time.Millisecond, 3, 429, "2", true, UsageZero, 0
	if err != nil || got != want {
		t.Errorf("reads %+v, %v", got, err)
	}
	if none, err := ParseSwitches(""); err != nil || none != noSwitches() {
		t.Errorf("an empty text is %+v, %v", none, err)
	}
	for _, wrong := range []string{"unknown=1", "cut=x", "cut=-1", "slow=fast", "out=10000000000000", "="} {
		if got, err := ParseSwitches(wrong); (err == nil) != (wrong == "=") {
			t.Errorf("%q is read as %+v, %v", wrong, got, err)
		}
	}
}

func FuzzParseSwitches(f *testing.F) {
	for _, seed := range []string{"slow=50ms,cut=3", "gzip", "in=0,out=1000000000000", ",=,", "usage=\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSwitches(text)
		if err != nil {
			return
		}
		if s.Cut < off || s.Words < 0 || s.Out > maxCount || s.In < off {
			t.Errorf("%q is out of bounds: %+v", text, s)
		}
	})
}

// A switch may stand in any field that a provider only keeps, and the header wins.
func TestWhereSwitchesAreRead(t *testing.T) {
	address := start(t) + "/v1/"
	for _, test := range []struct{ path, header, body string }{
		{"chat/completions", "", `{"model":"m","user":"fake:status=503",` + hello + `}`},
		{"chat/completions", "", `{"model":"m","safety_identifier":"fake:status=503",` + hello + `}`},
		{"chat/completions", "", `{"model":"m","metadata":{"fake":"fake:status=503"},` + hello + `}`},
		{"chat/completions", "status=503", `{"model":"m","user":"fake:status=418",` + hello + `}`},
		{"messages", "", `{"model":"m","max_tokens":9,"metadata":{"user_id":"fake:status=503"},` + hello + `}`},
		{"audio/speech", "", `{"model":"m","input":"a","instructions":"fake:status=503"}`},
	} {
		if got := post(t, address+test.path, test.header, test.body); got.status != http.StatusServiceUnavailable {
			t.Errorf("%s with %s answers %d", test.path, test.body, got.status)
		}
	}
	form := postFile(t, address+"audio/transcriptions", 9, map[string]string{"model": "m", "prompt": "fake:status=503"})
	if form.status != http.StatusServiceUnavailable {
		t.Errorf("a form answers %d", form.status)
	}
	if unknown := post(t, address+"chat/completions", "", `{"model":"m","user":"fake:nonsense=1",`+hello+`}`); unknown.status != http.StatusBadRequest {
		t.Errorf("an unknown switch answers %d", unknown.status)
	}
}

func TestStandingSwitchesCountTheirTimes(t *testing.T) {
	address := start(t)
	if got := post(t, address+"/fake/switches", "", "status=500,times=2"); got.status != http.StatusNoContent {
		t.Fatalf("answers %d %s", got.status, got.body)
	}
	for _, want := range []int{500, 500, 200} {
		if got := post(t, address+"/v1/chat/completions", "", `{"model":"m",`+hello+`}`); got.status != want {
			t.Errorf("answers %d, not %d", got.status, want)
		}
	}
	if got := post(t, address+"/fake/switches", "", "nonsense"); got.status != http.StatusBadRequest {
		t.Errorf("nonsense answers %d", got.status)
	}
}

func TestErrorsBeforeOutput(t *testing.T) {
	address := start(t) + "/v1/"
	limited := post(t, address+"chat/completions", "status=429,retry-after=7", `{"model":"m",`+hello+`}`)
	if limited.header.Get("Retry-After") != "7" || limited.at(t, "error", "type") != "rate_limit_error" {
		t.Errorf("429: %v %s", limited.header, limited.body)
	}
	overloaded := post(t, address+"messages", "status=529", `{"model":"m","max_tokens":9,`+hello+`}`)
	if overloaded.status != statusOverloaded || overloaded.at(t, "error", "type") != "overloaded_error" {
		t.Errorf("529: %s", overloaded.body)
	}
	for path, kind := range map[string]string{"chat/completions": "server_error", "messages": "api_error"} {
		got := post(t, address+path, "status=500", `{"model":"m","max_tokens":9,`+hello+`}`)
		if got.status != 500 || got.at(t, "error", "type") != kind {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// A provider that refuses a key says it aloud: the gateway must not pass that on.
func TestARefusalOfTheKeyNamesIt(t *testing.T) {
	for header, value := range map[string]string{"Authorization": "Bearer sk-provider", "X-Api-Key": "sk-provider", "Api-Key": "sk-provider"} {
		request, err := http.NewRequest(http.MethodPost, start(t)+"/v1/chat/completions", strings.NewReader(`{"model":"m","user":"fake:status=401",`+hello+`}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(header, value)
		if got := send(t, request); got.status != 401 || !strings.Contains(string(got.body), "sk-provider") {
			t.Errorf("with %s: %d %s", header, got.status, got.body)
		}
	}
}

func TestAStreamEndsWhereTheSwitchSays(t *testing.T) {
	address := start(t) + "/v1/"
	for _, test := range []struct {
		name, path, switches, body string
		pieces                     int
		broken                     bool   // the connection ended before its time
		last                       string // in the last event
	}{
		{"cut", "chat/completions", "cut=2", streamed, 2, true, `"content":" fake"`},
		{"cut before output", "chat/completions", "cut=0", streamed, 0, true, `"content":""`},
		{"cut after the last piece", "chat/completions", "cut=99", streamed, 6, true, `"content":" there"`},
		{"an error after output", "chat/completions", "fail=2", streamed, 2, false, `"type":"server_error"`},
		{"no end", "chat/completions", "nodone", streamed, 6, false, `"finish_reason":"stop"`},
		{"a message is cut", "messages", "cut=1", `{"model":"m","max_tokens":9,"stream":true,` + hello + `}`, 1, true, `"text":"The"`},
		{"an error in a message", "messages", "fail=1", `{"model":"m","max_tokens":9,"stream":true,` + hello + `}`, 1, false, `"api_error"`},
		{"a message without its end", "messages", "nodone", `{"model":"m","max_tokens":9,"stream":true,` + hello + `}`, 6, false, `message_delta`},
		{"an error in a response", "responses", "fail=1", `{"model":"m","stream":true,"input":"hello there"}`, 1, false, `response.failed`},
		{"a response without its end", "responses", "nodone", `{"model":"m","stream":true,"input":"hello there"}`, 6, false, `response.output_item.done`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := post(t, address+test.path, test.switches, test.body)
			if (got.err != nil) != test.broken {
				t.Errorf("ends with %v", got.err)
			}
			events := got.events()
			pieces := 0
			for _, event := range events {
				if strings.Contains(event, `"content":"T`) || strings.Contains(event, `"content":" `) ||
					strings.Contains(event, "text_delta") || strings.Contains(event, "output_text.delta") {
					pieces++
				}
			}
			if pieces != test.pieces {
				t.Errorf("%d pieces of %s", pieces, got.body)
			}
			if len(events) == 0 || !strings.Contains(events[len(events)-1], test.last) {
				t.Errorf("the last of %s", got.body)
			}
		})
	}
}

func TestAWholeAnswerCanBeCutToo(t *testing.T) {
	got := post(t, start(t)+"/v1/chat/completions", "cut=1", `{"model":"m",`+hello+`}`)
	if got.err == nil || len(got.body) == 0 {
		t.Errorf("%v after %d bytes", got.err, len(got.body))
	}
}

func TestGzipAndClose(t *testing.T) {
	address := start(t) + "/v1/chat/completions"
	for _, body := range []string{`{"model":"m",` + hello + `}`, streamed} {
		got := post(t, address, "gzip", body) // Go's client asks for it and unpacks it
		if got.err != nil || !strings.Contains(string(got.body), "chatcmpl-fake") {
			t.Errorf("gzip: %v %s", got.err, got.body)
		}
	}
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(streamed))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("X-Fake", "gzip,close")
	got := send(t, request)
	if got.header.Get("Content-Encoding") != "gzip" || strings.Contains(string(got.body), "chatcmpl") {
		t.Errorf("is not packed: %v", got.header)
	}
}

// A call that hangs ends when its caller leaves, and the provider knows of it.
func TestHangingUntilTheCallerLeaves(t *testing.T) {
	address := start(t)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/v1/chat/completions", strings.NewReader(streamed))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Fake", "hang=2")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() && !strings.Contains(lines.Text(), `" fake"`) {
	}
	if calls := callsOf(t, address); calls.Calls[0].Ended {
		t.Error("has ended before the caller left")
	}
	leave()
	for deadline := time.Now().Add(10 * time.Second); ; {
		call := callsOf(t, address).Calls[0]
		if call.Ended && call.Left {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("does not notice: %+v", call)
		}
		time.Sleep(time.Millisecond)
	}
}

func callsOf(t *testing.T, address string) Calls {
	t.Helper()
	response, err := http.Get(address + "/fake/calls")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var calls Calls
	if err := json.NewDecoder(response.Body).Decode(&calls); err != nil {
		t.Fatal(err)
	}
	return calls
}

func TestCallsAreRemembered(t *testing.T) {
	address := start(t)
	body := `{"model":"m",` + hello + `}`
	for range maxKeptCalls + 2 {
		post(t, address+"/v1/chat/completions", "", body)
	}
	calls := callsOf(t, address)
	if calls.Count != maxKeptCalls+2 || len(calls.Calls) != maxKeptCalls {
		t.Errorf("%d calls, %d of them kept", calls.Count, len(calls.Calls))
	}
	last := calls.Calls[len(calls.Calls)-1]
	if last.Body != body || last.Path != "/v1/chat/completions" || last.Headers.Get("Content-Type") != "application/json" {
		t.Errorf("the last is %+v", last)
	}
	if first := calls.Calls[0]; first.Connection != last.Connection {
		t.Errorf("connections are not reused: %s, %s", first.Connection, last.Connection)
	}
	request, err := http.NewRequest(http.MethodDelete, address+"/fake/calls", nil)
	if err != nil {
		t.Fatal(err)
	}
	send(t, request)
	if calls := callsOf(t, address); calls.Count != 0 || len(calls.Calls) != 0 {
		t.Errorf("%+v is left", calls)
	}
}
