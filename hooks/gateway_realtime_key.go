package hooks

import (
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

const (
	realtimePath   = "/v1/realtime"
	protocolHeader = "Sec-WebSocket-Protocol"
	// protocolKeyPrefix begins the sub-protocol that is a key: the only place where a
	// browser can put one.
	protocolKeyPrefix = "openai-insecure-api-key."
	// protocolBetaPrefix begins those that stand for the header OpenAI-Beta, with a
	// dash where the header has an equals sign.
	protocolBetaPrefix = "openai-beta."
	betaHeader         = "OpenAI-Beta"
)

// protocolKeys moves what a browser can only say in a sub-protocol to the headers
// that all others use, before anybody looks who is calling. A key is never left
// where it would be echoed.
func protocolKeys() *hook.Handler[*core.RequestEvent] {
	return &hook.Handler[*core.RequestEvent]{
		Id:       "sokujiProtocolKeys",
		Priority: apis.DefaultLoadAuthTokenMiddlewarePriority - 2, // before credentials
		Func: func(e *core.RequestEvent) error {
			path := e.Request.URL.Path
			if path == realtimePath || strings.HasPrefix(path, realtimePath+"/") {
				moveProtocolKeys(e.Request.Header)
			}
			return e.Next()
		},
	}
}

func moveProtocolKeys(header http.Header) {
	var kept []string
	for _, line := range header.Values(protocolHeader) {
		for word := range strings.SplitSeq(line, ",") {
			word = strings.TrimSpace(word)
			if key, isKey := strings.CutPrefix(word, protocolKeyPrefix); isKey {
				setUnset(header, "Authorization", "Bearer "+key)
				continue
			}
			if beta, isBeta := strings.CutPrefix(word, protocolBetaPrefix); isBeta {
				setUnset(header, betaHeader, strings.Replace(beta, "-", "=", 1))
			}
			if word != "" {
				kept = append(kept, word)
			}
		}
	}
	header.Del(protocolHeader)
	if len(kept) > 0 {
		header.Set(protocolHeader, strings.Join(kept, ", "))
	}
}

// setUnset leaves a header that the client has set itself.
func setUnset(header http.Header, name, value string) {
	if header.Get(name) == "" {
		header.Set(name, value)
	}
}
