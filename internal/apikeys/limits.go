package apikeys

import (
	"fmt"
	"net/netip"
	"strings"
)

const (
	// MaxListed bounds the lists of one key.
	MaxListed = 100
	// maxModelBytes bounds the name of one model.
	maxModelBytes = 200
)

// Limits bound what a key may do. A zero, or an empty list, is no bound. Whoever
// has a *Limits only reads it: many requests share one.
type Limits struct {
	SpendTokens         int64 // in the key's whole life
	DailyBudgetTokens   int64 // in a UTC day
	MonthlyBudgetTokens int64 // in a UTC month
	RequestsPerMinute   int64
	TokensPerMinute     int64
	Models              Models
	Addresses           Addresses
}

// IsZero tells whether there is no bound at all.
func (l *Limits) IsZero() bool {
	numbers := l.SpendTokens | l.DailyBudgetTokens | l.MonthlyBudgetTokens | l.RequestsPerMinute | l.TokensPerMinute
	return numbers == 0 && len(l.Models) == 0 && len(l.Addresses) == 0
}

// Models is a list of models: names, and beginnings of names that end with *.
// None stands for all.
type Models []string

// ParseModels checks a list.
func ParseModels(names []string) (Models, error) {
	if len(names) > MaxListed {
		return nil, fmt.Errorf("at most %d models can be listed", MaxListed)
	}
	for _, name := range names {
		if name == "" || len(name) > maxModelBytes || strings.Contains(strings.TrimSuffix(name, "*"), "*") || strings.TrimSpace(name) != name {
			return nil, fmt.Errorf("%q is not a model: give its name, or the beginning of names with one * at the end, of at most %d bytes", shorten(name), maxModelBytes)
		}
	}
	return names, nil
}

// Allow tells whether a model is on the list.
func (m Models) Allow(model string) bool {
	for _, name := range m {
		beginning, isBeginning := strings.CutSuffix(name, "*")
		if name == model || (isBeginning && strings.HasPrefix(model, beginning)) {
			return true
		}
	}
	return len(m) == 0
}

// Addresses is a list of networks. None stands for all.
type Addresses []netip.Prefix

// ParseAddresses reads IP addresses and networks such as 10.0.0.0/8.
func ParseAddresses(texts []string) (Addresses, error) {
	if len(texts) > MaxListed {
		return nil, fmt.Errorf("at most %d addresses can be listed", MaxListed)
	}
	addresses := make(Addresses, 0, len(texts))
	for _, text := range texts {
		prefix, err := parseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not an address: give one such as 203.0.113.7, or a network such as 10.0.0.0/8", shorten(text))
		}
		addresses = append(addresses, prefix)
	}
	return addresses, nil
}

func parseAddress(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err
		}
		address = address.Unmap().WithZone("")
		return address.Prefix(address.BitLen())
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	if prefix.Addr().Is4In6() { // ::ffff:10.0.0.0/104 is 10.0.0.0/8
		const mapped = 96
		if prefix.Bits() < mapped {
			return netip.Prefix{}, fmt.Errorf("%s covers more than the addresses of IPv4", prefix)
		}
		return prefix.Addr().Unmap().Prefix(prefix.Bits() - mapped)
	}
	return prefix.Masked(), nil
}

// Allow tells whether an address, as text, is on the list. What is no address is
// on no list but the empty one.
func (a Addresses) Allow(text string) bool {
	if len(a) == 0 {
		return true
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return false
	}
	address = address.Unmap().WithZone("")
	for _, prefix := range a {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// Strings lists the networks as ParseAddresses reads them, single addresses without
// their length.
func (a Addresses) Strings() []string {
	texts := make([]string, 0, len(a))
	for _, prefix := range a {
		if prefix.IsSingleIP() {
			texts = append(texts, prefix.Addr().String())
			continue
		}
		texts = append(texts, prefix.String())
	}
	return texts
}
