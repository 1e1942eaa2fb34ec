package main

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// serveProxy is the least that a gateway in Go can do: no key, no limit, no money.
func serveProxy(upstream string) error {
	target, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1, // each event at once
		Transport:     &http.Transport{MaxIdleConnsPerHost: maxConnections, DisableCompression: true},
	}
	announce(listener.Addr().String())
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: exchangeTimeout}
	return server.Serve(listener)
}
