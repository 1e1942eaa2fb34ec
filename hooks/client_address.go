package hooks

import (
	"net/netip"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// clientAddress is the address that a request comes from: that of the connection, or
// what the trusted proxy says. Of a list only the last entry is the proxy's own;
// PocketBase's RealIP goes on to those before it, which anybody can send, where the
// last one cannot be read.
func clientAddress(e *core.RequestEvent) string {
	trusted := e.App.Settings().TrustedProxy
	for _, name := range trusted.Headers {
		lines := e.Request.Header.Values(name)
		if len(lines) == 0 || strings.TrimSpace(lines[len(lines)-1]) == "" {
			continue
		}
		address, err := forwardedAddress(lines[len(lines)-1], trusted.UseLeftmostIP)
		if err != nil {
			break
		}
		return address.Unmap().StringExpanded()
	}
	return e.RemoteIP()
}

// forwardedAddress reads the last entry of a list, or the first that is an address
// where the settings say so.
func forwardedAddress(list string, leftmost bool) (address netip.Addr, err error) {
	entries := strings.Split(list, ",")
	if !leftmost {
		return addressOfEntry(entries[len(entries)-1])
	}
	for _, entry := range entries {
		if address, err = addressOfEntry(entry); err == nil {
			return address, nil
		}
	}
	return address, err
}

// addressOfEntry reads an address, which some proxies write with its port.
func addressOfEntry(entry string) (netip.Addr, error) {
	entry = strings.TrimSpace(entry)
	if withPort, err := netip.ParseAddrPort(entry); err == nil {
		return withPort.Addr(), nil
	}
	return netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(entry, "["), "]"))
}
