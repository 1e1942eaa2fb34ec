package fakeprovider

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// answer is what a test sees of an answer.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // of reading the body
}

func start(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(Handler())
	t.Cleanup(server.Close)
	return server.URL
}

// post sends a body with switches in the header.
func post(t *testing.T, address, switches, body string) answer {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Fake", switches)
	return send(t, request)
}

// postFile sends a form with a file of so many bytes.
func postFile(t *testing.T, address string, size int, fields map[string]string) answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		if err := form.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	file, err := form.CreateFormFile("file", "speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, address, &body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	return send(t, request)
}

func send(t *testing.T, request *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: body, err: err}
}

// at finds a value by the names, and positions, on the way to it.
func (a answer) at(t *testing.T, path ...any) any {
	t.Helper()
	return valueAt(t, a.body, path...)
}

func valueAt(t *testing.T, text []byte, path ...any) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, step := range path {
		switch key := step.(type) {
		case string:
			value = value.(map[string]any)[key]
		case int:
			value = value.([]any)[key]
		}
	}
	return value
}

// events are the data of a stream's events.
func (a answer) events() []string {
	var data []string
	for line := range strings.SplitSeq(string(a.body), "\n") {
		if text, found := strings.CutPrefix(line, "data: "); found {
			data = append(data, text)
		}
	}
	return data
}

// types are the types of a stream's events, in order and each once.
func (a answer) types(t *testing.T) string {
	t.Helper()
	var types []string
	for _, event := range a.events() {
		kind, _ := valueAt(t, []byte(event), "type").(string)
		if len(types) == 0 || types[len(types)-1] != kind {
			types = append(types, kind)
		}
	}
	return strings.Join(types, " ")
}
