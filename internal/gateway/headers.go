package gateway

import "net/http"

// forwardedHeaders are all that a provider learns of the client's headers.
var forwardedHeaders = []string{"Accept", "Anthropic-Version", "Anthropic-Beta", "Openai-Beta"}

// returnedHeaders are all that a client learns of the provider's headers.
var returnedHeaders = []string{"Content-Type", "Openai-Processing-Ms", "Openai-Version"}

// providersRequestID are the headers in which providers name a call.
var providersRequestID = []string{"X-Request-Id", "Request-Id", "Apim-Request-Id"}

// ForwardHeaders copies what a provider may learn of a client's request.
func ForwardHeaders(to, client http.Header) { copyHeaders(to, client, forwardedHeaders) }

// ReturnHeaders copies what a client may learn of a provider's answer.
func ReturnHeaders(to, provider http.Header) { copyHeaders(to, provider, returnedHeaders) }

func copyHeaders(to, from http.Header, names []string) {
	for _, name := range names {
		if values := from[name]; len(values) > 0 {
			to[name] = values
		}
	}
}

// RequestID is the provider's own name for a call.
func RequestID(header http.Header) string {
	for _, name := range providersRequestID {
		if id := header.Get(name); id != "" {
			return id[:min(len(id), maxRequestIDBytes)]
		}
	}
	return ""
}

// maxRequestIDBytes bounds what is kept of a provider's name for a call.
const maxRequestIDBytes = 128
