package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Hash is a SHA-256 value. The zero Hash stands before a wallet's first entry.
type Hash [sha256.Size]byte

// String is the lower-case hex form that is stored and shown.
func (h Hash) String() string {
	return hex.EncodeToString(h[:])
}

// ParseHash reads the form that String writes; empty text is the zero Hash.
func ParseHash(text string) (Hash, error) {
	var h Hash
	if text == "" {
		return h, nil
	}
	if len(text) != hex.EncodedLen(len(h)) {
		return h, fmt.Errorf("hash has %d characters, want %d", len(text), hex.EncodedLen(len(h)))
	}
	_, err := hex.Decode(h[:], []byte(text))
	return h, err
}

// entryHashDomain separates entry hashes from every other use of SHA-256 and
// names the version of the field list below.
const entryHashDomain = "sokuji ledger entry v1"

// ComputeHash hashes the previous entry's hash and every stored column of this
// one, so that a change to any of them, or to their order, breaks the chain.
func (e Entry) ComputeHash() Hash {
	d := newDigest(entryHashDomain)
	d.bytes(e.PrevHash[:])
	d.text(e.ID)
	d.text(string(e.Subject.Type))
	d.text(e.Subject.ID)
	d.number(e.Seq)
	d.number(e.Amount)
	d.number(e.BalanceAfter)
	d.text(string(e.EventType))
	d.text(e.ReferenceType)
	d.text(e.ReferenceID)
	d.text(e.PlanID)
	d.text(e.ExternalEventID)
	d.text(e.IdempotencyKey)
	d.text(e.RequestHash)
	d.text(e.Description)
	d.bytes(e.Metadata)
	d.number(e.CreatedAt.UnixMilli())
	return d.sum()
}

// digest hashes fields with a length before each, so that no two field lists
// ever read as the same bytes.
type digest struct {
	buf []byte
}

func newDigest(domain string) *digest {
	d := &digest{buf: make([]byte, 0, 512)}
	d.text(domain)
	return d
}

func (d *digest) number(n int64) {
	d.buf = binary.BigEndian.AppendUint64(d.buf, uint64(n))
}

func (d *digest) flag(b bool) {
	if b {
		d.number(1)
		return
	}
	d.number(0)
}

func (d *digest) text(s string) {
	d.number(int64(len(s)))
	d.buf = append(d.buf, s...)
}

func (d *digest) bytes(b []byte) {
	d.number(int64(len(b)))
	d.buf = append(d.buf, b...)
}

func (d *digest) sum() Hash {
	return sha256.Sum256(d.buf)
}
