package apikeys

import (
	"slices"
	"strings"
	"testing"
)

func TestModels(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		list  Models
		model string
		want  bool
	}{
		{nil, "gpt-4o", true},
		{Models{}, "", true},
		{Models{"gpt-4o"}, "gpt-4o", true},
		{Models{"gpt-4o"}, "gpt-4o-mini", false},
		{Models{"gpt-4o"}, "GPT-4o", false},
		{Models{"gpt-4o*"}, "gpt-4o-mini", true},
		{Models{"gpt-4o*"}, "gpt-4o", true},
		{Models{"claude-*", "gpt-*"}, "gpt-5", true},
		{Models{"claude-*"}, "gpt-5", false},
		{Models{"*"}, "anything", true},
		{Models{"gpt-4o"}, "", false},
	} {
		if got := test.list.Allow(test.model); got != test.want {
			t.Errorf("%v allows %q: %v", test.list, test.model, got)
		}
	}
}

func TestParseModelsRefuses(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]string{
		"an empty name":    {"gpt-4o", ""},
		"a star inside":    {"gpt-*-mini"},
		"two stars":        {"gpt**"},
		"spaces around":    {" gpt-4o"},
		"a long name":      {strings.Repeat("x", maxModelBytes+1)},
		"a very long list": slices.Repeat([]string{"m"}, MaxListed+1),
	} {
		if models, err := ParseModels(list); err == nil {
			t.Errorf("%s: read as %d models", name, len(models))
		} else if len(err.Error()) > 300 {
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		list    string
		address string
		want    bool
	}{
		{"", "203.0.113.7", true},
		{"", "no address", true},
		{"203.0.113.7", "203.0.113.7", true},
		{"203.0.113.7", "203.0.113.8", false},
		{"203.0.113.7", "::ffff:203.0.113.7", true},
		{"::ffff:203.0.113.7", "203.0.113.7", true},
		{"::ffff:10.0.0.0/104", "10.200.1.1", true},
		{"10.0.0.0/8", "10.255.0.1", true},
		{"10.1.2.3/8", "10.255.0.1", true}, // the host's bits do not matter
		{"10.0.0.0/8", "11.0.0.1", false},
		{"2001:db8::/32", "2001:db8::1", true},
		{"2001:db8::/32", "2001:db9::1", false},
		{"fe80::1%eth0", "fe80::1", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"10.0.0.0/8 2001:db8::1", "2001:db8::1", true},
		{"10.0.0.0/8", "", false},
		{"10.0.0.0/8", "10.0.0.1:443", false},
	} {
		addresses, err := ParseAddresses(strings.Fields(test.list))
		if err != nil {
			t.Errorf("%q: %v", test.list, err)
			continue
		}
		if got := addresses.Allow(test.address); got != test.want {
			t.Errorf("%q allows %q: %v", test.list, test.address, got)
		}
		if again, err := ParseAddresses(addresses.Strings()); err != nil || !slices.Equal(again, addresses) {
			t.Errorf("%q is read back as %v, %v", test.list, again, err)
		}
	}
}

func TestParseAddressesRefuses(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]string{
		"a name":           {"example.com"},
		"nothing":          {""},
		"a port":           {"10.0.0.1:80"},
		"too many bits":    {"10.0.0.0/33"},
		"more than IPv4":   {"::ffff:0:0/90"},
		"a long text":      {strings.Repeat("1", 10_000)},
		"a very long list": slices.Repeat([]string{"10.0.0.1"}, MaxListed+1),
	} {
		if addresses, err := ParseAddresses(list); err == nil {
			t.Errorf("%s: read as %v", name, addresses)
		} else if len(err.Error()) > 300 {
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
	}
}

func FuzzParseAddresses(f *testing.F) {
	for _, text := range []string{"10.0.0.0/8", "::ffff:10.0.0.0/104", "fe80::1%eth0", "::ffff:0:0/90", "1", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		addresses, err := ParseAddresses([]string{text})
		if err != nil {
			return
		}
		again, err := ParseAddresses(addresses.Strings())
		if err != nil || !slices.Equal(again, addresses) {
			t.Fatalf("%q is written as %v and read back as %v, %v", text, addresses.Strings(), again, err)
		}
		if !addresses.Allow(addresses[0].Addr().String()) {
			t.Fatalf("%q does not contain its own first address", text)
		}
	})
}

func FuzzModels(f *testing.F) {
	f.Add("gpt-4o*", "gpt-4o-mini")
	f.Add("*", "")
	f.Fuzz(func(t *testing.T, listed, model string) {
		models, err := ParseModels([]string{listed})
		if err != nil {
			return
		}
		want := listed == model || (strings.HasSuffix(listed, "*") && strings.HasPrefix(model, listed[:len(listed)-1]))
		if got := models.Allow(model); got != want {
			t.Fatalf("%q allows %q: %v", listed, model, got)
		}
	})
}

func TestGrantBounds(t *testing.T) {
	t.Parallel()
	if bounds := (Grant{}).Bounds(); bounds == nil || bounds.SpendTokens != 0 {
		t.Errorf("a key without limits has %+v", bounds)
	}
	limits := &Limits{SpendTokens: 5}
	if (Grant{Limits: limits}).Bounds() != limits {
		t.Error("the limits of a key are not its bounds")
	}
}
