package ledger

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// IDLength is the length of the ids that the ledger gives to its rows.
const IDLength = 20

// identifierAlphabet keeps the order of the bits, so that ids sort by time and
// new rows land side by side in the index instead of all over it.
const identifierAlphabet = "0123456789abcdefghijklmnopqrstuv"

// Identifiers makes ids that grow with time: 45 bits of milliseconds, then 55
// bits that start at random and count up within one millisecond. It is used by
// one goroutine.
type Identifiers struct {
	random io.Reader
	millis uint64
	tail   uint64
}

const (
	identifierTailBits  = 55
	identifierMillisMax = 1<<45 - 1
	// A tail starts with its highest bits free, so that counting up within one
	// millisecond does not run over.
	identifierTailStartBits = 50
)

// NewIdentifiers reads its random bits from random.
func NewIdentifiers(random io.Reader) *Identifiers {
	return &Identifiers{random: random}
}

// Next returns an id that sorts after every earlier one, also when the clock
// went backwards.
func (i *Identifiers) Next(now time.Time) (string, error) {
	millis := uint64(now.UnixMilli())
	if millis > i.millis {
		tail, err := i.randomTail()
		if err != nil {
			return "", err
		}
		i.millis, i.tail = millis, tail
	} else {
		i.tail++
	}
	if i.millis > identifierMillisMax || i.tail >= 1<<identifierTailBits {
		return "", fmt.Errorf("ledger: ids have run out at %d ms", i.millis)
	}
	return encodeIdentifier(i.millis, i.tail), nil
}

func (i *Identifiers) randomTail() (uint64, error) {
	var raw [8]byte
	if _, err := io.ReadFull(i.random, raw[:]); err != nil {
		return 0, fmt.Errorf("ledger: no random bits for an id: %w", err)
	}
	return binary.BigEndian.Uint64(raw[:]) >> (64 - identifierTailStartBits), nil
}

func encodeIdentifier(millis, tail uint64) string {
	var text [IDLength]byte
	for n := IDLength - 1; n >= 9; n-- {
		text[n] = identifierAlphabet[tail&31]
		tail >>= 5
	}
	for n := 8; n >= 0; n-- {
		text[n] = identifierAlphabet[millis&31]
		millis >>= 5
	}
	return string(text[:])
}
