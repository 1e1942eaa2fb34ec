package verify

import (
	"encoding/binary"
	"hash/maphash"

	"sokuji/internal/ledger"
)

// Two large sets of rows, such as all uses and all usage rows, are compared in
// constant memory: each row becomes a number of 64 bits under a key that is new in
// every run, and the sums of these numbers are compared, modulo 2^64. Nobody who
// does not know the key can make different sets agree, and by accident they do
// once in 2^64. Only when the sums differ are the rows looked at one by one.

// fingerprints makes the numbers.
type fingerprints struct{ key maphash.Seed }

func newFingerprints() fingerprints { return fingerprints{maphash.MakeSeed()} }

// of is the number of a row: its texts, each with its length before it, and
// its whole numbers.
func (f fingerprints) of(texts []string, numbers ...int64) uint64 {
	var h maphash.Hash
	h.SetSeed(f.key)
	var buffer [8]byte
	for _, text := range texts {
		binary.LittleEndian.PutUint64(buffer[:], uint64(len(text)))
		_, _ = h.Write(buffer[:])
		_, _ = h.WriteString(text)
	}
	for _, number := range numbers {
		binary.LittleEndian.PutUint64(buffer[:], uint64(number))
		_, _ = h.Write(buffer[:])
	}
	return h.Sum64()
}

// bucket sums what fell into buckets, each with its weight, so that it does not
// matter in how many steps a bucket was filled.
type bucketSums struct{ uses, tokens uint64 }

func (b *bucketSums) add(weight uint64, uses, tokens int64) {
	b.uses += weight * uint64(uses)
	b.tokens += weight * uint64(tokens)
}

func (f fingerprints) day(subject ledger.Subject, day string) uint64 {
	return f.of([]string{"day", string(subject.Type), subject.ID, day})
}

func (f fingerprints) quarter(subject ledger.Subject, slot int64) uint64 {
	return f.of([]string{"quarter", string(subject.Type), subject.ID}, slot)
}
