package gateway

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// guardRow is an address and who may be there: on the internet, and with private
// networks allowed.
type guardRow struct {
	address               string
	public, whenPrivateOK bool
}

var guardRows = []guardRow{
	{"8.8.8.8", true, true},
	{"1.1.1.1", true, true},
	{"2606:4700:4700::1111", true, true},
	{"::ffff:8.8.8.8", true, true}, // IPv4 in IPv6's clothes
	{"127.0.0.1", false, true},
	{"127.8.8.8", false, true},
	{"::1", false, true},
	{"::ffff:127.0.0.1", false, true},
	{"10.0.0.1", false, true},
	{"172.16.0.1", false, true},
	{"172.31.255.255", false, true},
	{"172.32.0.1", true, true},
	{"192.168.1.1", false, true},
	{"::ffff:192.168.1.1", false, true},
	{"fd00::1", false, true},
	{"100.64.0.1", false, true},
	{"198.18.0.1", false, true},
	{"192.0.2.1", false, true},
	{"240.0.0.1", false, true},
	{"255.255.255.255", false, true},
	{"64:ff9b::7f00:1", false, true}, // 127.0.0.1 behind a translator
	{"2002:7f00:1::", false, true},   // 127.0.0.1 behind 6to4
	{"2001:0:7f00:1::", false, true}, // Teredo
	{"0.0.0.0", false, false},
	{"::", false, false},
	{"169.254.1.1", false, false},
	{"169.254.169.254", false, false},
	{"::ffff:169.254.169.254", false, false},
	{"fe80::1", false, false},
	{"fe80::1%eth0", false, false},
	{"fd00:ec2::254", false, false},
	{"fd00:ec2::23", false, false}, // containers on AWS over IPv6
	{"64:ff9b::169.254.169.254", false, false},
	{"64:ff9b::100.100.100.200", false, false},
	{"64:ff9b:1::169.254.169.254", false, false},
	{"64:ff9b:1:a9fe:a9:fe00::", false, false},   // at byte 6
	{"64:ff9b:1:a9:fe:a9fe::", false, false},     // at byte 7
	{"64:ff9b:1:0:a9:fea9:fe00:0", false, false}, // at byte 9
	{"64:ff9b:1::10.0.0.1", false, true},
	{"2002:a9fe:a9fe::1", false, false},
	{"2002:a00:1::1", false, true},
	{"::169.254.169.254", false, false},
	{"::168.63.129.16", false, false},
	{"::8.8.8.8", false, true},
	{"::ffff:0:169.254.169.254", false, false},
	{"::ffff:0:8.8.8.8", false, true},
	{"100.100.100.200", false, false},
	{"168.63.129.16", false, false},
	{"224.0.0.1", false, false},
	{"ff02::1", false, false},
}

func TestGuard(t *testing.T) {
	for _, row := range guardRows {
		address := netip.MustParseAddr(row.address)
		if err := (Guard{}).Check(address); (err == nil) != row.public {
			t.Errorf("%s: %v, want public %v", row.address, err, row.public)
		}
		if err := (Guard{AllowPrivate: true}).Check(address); (err == nil) != row.whenPrivateOK {
			t.Errorf("%s with private networks allowed: %v, want %v", row.address, err, row.whenPrivateOK)
		}
	}
	if (Guard{AllowPrivate: true}).Check(netip.Addr{}) == nil {
		t.Error("no address at all is allowed")
	}
}

// The guard stands where the connection is made, whatever the name is.
func TestTheGuardStandsAtTheDialer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	defer server.Close()
	port := server.URL[len("http://127.0.0.1"):]
	for _, name := range []string{"http://127.0.0.1" + port, "http://localhost" + port, "http://0x7f.1" + port, "http://2130706433" + port} {
		request, err := http.NewRequest(http.MethodGet, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := NewTransport(Guard{}).RoundTrip(request)
		if err == nil {
			t.Errorf("%s was reached: %d", name, response.StatusCode)
			continue
		}
		if _, forbidden := errors.AsType[*ForbiddenAddressError](err); !forbidden && name == server.URL {
			t.Errorf("%s: %v", name, err)
		}
	}
	request, err := http.NewRequest(http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := NewTransport(Guard{AllowPrivate: true}).RoundTrip(request)
	if err != nil || response.StatusCode != 204 {
		t.Errorf("the allowed address answered %v, %v", response, err)
	}
}

// The environment's proxy would dial in the guard's stead.
func TestNoProxy(t *testing.T) {
	if NewTransport(Guard{}).Proxy != nil {
		t.Error("the transport uses a proxy")
	}
}
