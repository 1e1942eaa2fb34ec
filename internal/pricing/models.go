package pricing

import (
	"strings"
	"time"
)

// Models lists the prices in force at a moment of all models of a provider that
// the book has by their whole name, in no order.
func (b *Book) Models(provider string, at time.Time) []Price {
	provider = strings.ToLower(provider)
	var found []Price
	for key := range b.prices {
		if key.provider != provider {
			continue
		}
		if price, inForce := b.Find(provider, key.model, at); inForce {
			found = append(found, price)
		}
	}
	return found
}
