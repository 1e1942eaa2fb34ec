package metering

import "testing"

func TestIsFailure(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"error":{"message":"x"}}`:                                            true,
		`{"type":"error","error":{"type":"overloaded_error"}}`:                 true,
		`{"type":"error","code":"server_error","message":"x"}`:                 true,
		`{"id":"r","status":"failed","error":null,"output":[]}`:                true,
		`{"type":"response.failed","response":{"status":"failed","error":{}}}`: true,
		`{"id":"r","status":"completed","error":null,"output":[{}]}`:           false,
		`{"choices":[{"delta":{"content":"{\"error\":1}"}}]}`:                  false,
		`{"choices":[{"delta":{"content":"x"},"error":{"code":1}}]}`:           false,
		`{"error":"","choices":[{"delta":{"content":"x"}}]}`:                   false, `{"error":{}}`: false, `{"error":false}`: false,
		`[{"error":{}}]`: false, `"error"`: false, `[DONE]`: false, ``: false, `{"error":`: false,
	} {
		if got := IsFailure([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestIsNoAnswer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`<html>Welcome</html>`: true, `[{"error":{}}]`: true, `"text"`: true, ``: true, `{"choices":[`: true,
		`{}`: true, `{"object":"list"}`: true, `{"choices":null}`: true,
		`{"error":{"message":"x"}}`:                            true,
		`{"error":"x","choices":[]}`:                           true,
		`{"status":"failed","error":{},"output":[]}`:           true,
		`{"status":"failed","error":{},"output":[{"id":"m"}]}`: false,
		`{"choices":[]}`:                                       false,
		`{"choices":[{}]}`:                                     false,
		` {"data":[{}]}`:                                       false,
		`{"content":[]}`:                                       false,
		`{"text":""}`:                                          false,
		`{"choices":7,"type":[]}`:                              false,
	} {
		if got := IsNoAnswer([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
