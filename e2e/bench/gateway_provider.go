package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// The provider's routes, and what it is asked.
const (
	chatPath     = "/v1/chat/completions"
	realtimePath = "/v1/realtime"
	chatModel    = "bench-chat"
	socketModel  = "gpt-4o-realtime-preview"
)

const (
	// streamEvents come one after the other without a pause: what is measured is
	// what a gateway adds.
	streamEvents = 20
	// patientUser is the user of a request whose stream stays open until its client
	// leaves.
	patientUser = "patient"
	// openStreamLimit bounds such a stream, should the client never leave.
	openStreamLimit = 5 * time.Minute
)

var (
	chatRequest    = chatBody(false, "")
	streamRequest  = chatBody(true, "")
	patientRequest = chatBody(true, patientUser)
)

// chatBody asks for little, as an app in a conversation does.
func chatBody(stream bool, user string) string {
	body := map[string]any{
		"model": chatModel, "max_tokens": 100,
		"messages": []map[string]string{{"role": "user", "content": "Say hello to the people who measure this."}},
	}
	if stream {
		body["stream"] = true
	}
	if user != "" {
		body["user"] = user
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	return string(encoded)
}

const chatAnswer = `{"id":"chatcmpl-bench","object":"chat.completion","created":1795478400,"model":"bench-chat",` +
	`"choices":[{"index":0,"message":{"role":"assistant","content":"Hello to everybody who measures this.","refusal":null},"logprobs":null,"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":16,"completion_tokens":8,"total_tokens":24,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},` +
	`"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}`

const (
	chatEvent  = `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1795478400,"model":"bench-chat","choices":[{"index":0,"delta":{"content":" hello"},"finish_reason":null}],"usage":null}` + "\n\n"
	usageEvent = `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1795478400,"model":"bench-chat","choices":[],"usage":{"prompt_tokens":16,"completion_tokens":20,"total_tokens":36}}` + "\n\n"
	doneEvent  = "data: [DONE]\n\n"
)

// serveProvider answers like a provider that thinks for no time at all, so that
// only what stands before it is measured.
func serveProvider() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	routes.HandleFunc("POST "+chatPath, answerChat)
	routes.HandleFunc("GET "+realtimePath, answerSocket)
	announce(listener.Addr().String())
	server := &http.Server{Handler: routes, ReadHeaderTimeout: exchangeTimeout}
	return server.Serve(listener)
}

func answerChat(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !strings.Contains(string(body), `"stream":true`) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(chatAnswer)))
		_, _ = io.WriteString(w, chatAnswer) // a client that left is the load's failure
		return
	}
	streamChat(w, r, strings.Contains(string(body), `"user":"`+patientUser+`"`))
}

func streamChat(w http.ResponseWriter, r *http.Request, isPatient bool) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	for range streamEvents {
		_, _ = io.WriteString(w, chatEvent) // likewise
		_ = out.Flush()
	}
	if isPatient {
		select {
		case <-r.Context().Done():
		case <-time.After(openStreamLimit):
		}
	}
	_, _ = io.WriteString(w, usageEvent+doneEvent)
}

// answerSocket greets, and then listens until the other side leaves.
func answerSocket(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"realtime"}, InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer socket.CloseNow()
	hello := `{"type":"session.created","event_id":"event_1","session":{"id":"sess_bench","model":"` + socketModel + `"}}`
	if err := socket.Write(r.Context(), websocket.MessageText, []byte(hello)); err != nil {
		return
	}
	for {
		if _, _, err := socket.Read(r.Context()); err != nil {
			return
		}
	}
}
