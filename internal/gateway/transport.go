package gateway

import (
	"crypto/tls"
	"net/http"
	"time"
)

// Bounds of the connections to providers.
const (
	maxIdleConnections        = 512
	maxIdleConnectionsPerHost = 256
	idleConnectionTimeout     = 90 * time.Second
	tlsHandshakeTimeout       = 10 * time.Second
	maxResponseHeaderBytes    = 64 * 1024
	copyBufferBytes           = 32 * 1024
)

// NewTransport makes the pool of connections that all calls share. It dials
// through the guard, and knows no proxy: a proxy would dial in its stead. It
// follows no redirect either, as long as it is used by itself and not by an
// http.Client, so no provider can send a call, with its key, somewhere else.
func NewTransport(guard Guard) *http.Transport {
	return &http.Transport{
		DialContext:            guard.Dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    tlsHandshakeTimeout,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           maxIdleConnections,
		MaxIdleConnsPerHost:    maxIdleConnectionsPerHost,
		IdleConnTimeout:        idleConnectionTimeout,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
		WriteBufferSize:        copyBufferBytes,
		ReadBufferSize:         copyBufferBytes,
	}
}
