package gateway

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

const (
	// connectTimeout bounds the dialing of one address.
	connectTimeout = 10 * time.Second
	// keepAliveInterval is how often an idle connection is probed.
	keepAliveInterval = 30 * time.Second
)

// metadataAddresses give whoever asks from inside a cloud the machine's own
// credentials. No model lives there, so no setting opens them.
var metadataAddresses = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"), // most clouds
	netip.MustParseAddr("169.254.170.2"),   // containers on AWS
	netip.MustParseAddr("100.100.100.200"), // Alibaba
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle
}

// metadataNetwork is where AWS has its services over IPv6, credentials among them.
var metadataNetwork = netip.MustParsePrefix("fd00:ec2::/32")

// transitionNetworks carry IPv4 inside IPv6: a machine on the way sends on to the
// address that stands at those bytes. The one of NAT64 that is for local use may
// have it in four places (RFC 6052, section 2.2).
var transitionNetworks = []struct {
	network netip.Prefix
	places  [][4]int
}{
	{netip.MustParsePrefix("::/96"), [][4]int{{12, 13, 14, 15}}},           // IPv4-compatible
	{netip.MustParsePrefix("::ffff:0:0:0/96"), [][4]int{{12, 13, 14, 15}}}, // SIIT
	{netip.MustParsePrefix("64:ff9b::/96"), [][4]int{{12, 13, 14, 15}}},    // NAT64
	{netip.MustParsePrefix("64:ff9b:1::/48"), [][4]int{{6, 7, 9, 10}, {7, 9, 10, 11}, {9, 10, 11, 12}, {12, 13, 14, 15}}},
	{netip.MustParsePrefix("2002::/16"), [][4]int{{2, 3, 4, 5}}}, // 6to4
}

// specialNetworks are not on the internet, or lead to other addresses that are
// not, beside those that netip knows by name.
var specialNetworks = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // shared between carrier and customer
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, broadcast
	netip.MustParsePrefix("::/96"),           // IPv4-compatible
	netip.MustParsePrefix("::ffff:0:0:0/96"), // translated from IPv4
	netip.MustParsePrefix("64:ff9b::/96"),    // translated to IPv4
	netip.MustParsePrefix("64:ff9b:1::/48"),  // likewise
	netip.MustParsePrefix("100::/64"),        // discard
	netip.MustParsePrefix("2001::/23"),       // Teredo and other protocols
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4
	netip.MustParsePrefix("fec0::/10"),       // site-local
}

// Guard decides which addresses providers may have. The zero Guard allows the
// public internet only.
type Guard struct {
	// AllowPrivate opens loopback and private networks too, for models that run
	// beside the server.
	AllowPrivate bool
}

// ForbiddenAddressError says that a provider's name leads into a network that the
// operator did not open.
type ForbiddenAddressError struct {
	Address netip.Addr
}

// Error names the address and the setting.
func (e *ForbiddenAddressError) Error() string {
	return fmt.Sprintf("the address %s is not on the public internet: set GATEWAY_ALLOW_PRIVATE=true if the provider runs there", e.Address)
}

// Check refuses an address that no provider may have.
func (g Guard) Check(address netip.Addr) error {
	address = address.Unmap().WithZone("")
	if isUnreachable(address) || isMetadata(address) || slices.ContainsFunc(carriedAddresses(address), isMetadata) {
		return &ForbiddenAddressError{address}
	}
	if !g.AllowPrivate && !isPublic(address) {
		return &ForbiddenAddressError{address}
	}
	return nil
}

// isMetadata tells whether an address gives away credentials. Link-local ones are
// used for nothing else in a cloud.
func isMetadata(address netip.Addr) bool {
	return slices.Contains(metadataAddresses, address) || metadataNetwork.Contains(address) || address.IsLinkLocalUnicast()
}

// carriedAddresses are the IPv4 addresses that an IPv6 address may lead to.
func carriedAddresses(address netip.Addr) (carried []netip.Addr) {
	for _, transition := range transitionNetworks {
		if !transition.network.Contains(address) {
			continue
		}
		bytes := address.As16()
		for _, at := range transition.places {
			carried = append(carried, netip.AddrFrom4([4]byte{bytes[at[0]], bytes[at[1]], bytes[at[2]], bytes[at[3]]}))
		}
	}
	return carried
}

// isUnreachable tells whether an address names no single machine, or one that only
// speaks about this one.
func isUnreachable(address netip.Addr) bool {
	return !address.IsValid() || address.IsUnspecified() || address.IsMulticast() || address.IsLinkLocalUnicast()
}

func isPublic(address netip.Addr) bool {
	if !address.IsGlobalUnicast() || address.IsPrivate() || address.IsLoopback() {
		return false
	}
	return !slices.ContainsFunc(specialNetworks, func(network netip.Prefix) bool { return network.Contains(address) })
}

// Dial connects to a provider. The check is made on the address that is really
// dialed, after the name was resolved: a name that resolves to one address when it
// is checked and to another when it is used gains nothing.
func (g Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: connectTimeout, KeepAlive: keepAliveInterval, Control: g.control}
	return dialer.DialContext(ctx, network, address)
}

func (g Guard) control(_, address string, _ syscall.RawConn) error {
	resolved, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("an address that cannot be checked: %w", err)
	}
	return g.Check(resolved.Addr())
}
