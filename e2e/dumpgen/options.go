package dumpgen

import (
	"math/rand/v2"
	"time"
)

// Password is every generated user's, and passwordHash Better Auth's hash of it.
// Hashing is slow on purpose, so there is one.
const (
	Password     = "password123"
	passwordHash = "00112233445566778899aabbccddeeff:73122e887cfc14f91396cdef78dfe4b9dec28d459037601c4904cedba5a637ab97b39b40c236df5d42881d0109ca8cf0f85e39dbaba2911c190915bd8f30fe85"
)

// Options of a dump.
type Options struct {
	Seed  uint64
	Users int // 1 or more; each has a session and a wallet
	Rows  int // of the ledger
	// Until is when the sessions end. The rows lie in the 90 days before Now.
	Now, Until time.Time
	// WrongBalances is how many of the first users have a stored balance that is not
	// their ledger's sum.
	WrongBalances int
	// Extra holds statements to write at the end of the rows of a table, whole lines.
	Extra map[string][]string
	// Without names tables to leave out, as an older schema does.
	Without []string
}

// Facts are what a dump holds.
type Facts struct {
	// Balances are the stored balances, in tokens, in the order of the users, and Sums
	// those of the ledger.
	Balances, Sums []int64
	UseTokens      int64 // that all uses took
	Uses           int64
	Mints          int64
}

// UserID, Email and Token name what belongs to the n-th user, from 0.
func UserID(seed uint64, n int) string { return text(seed, streamUser, n, 32) }

// Token is the session token of the n-th user.
func Token(seed uint64, n int) string { return text(seed, streamToken, n, 32) }

// Streams of randomness, so that one kind of value says nothing of another.
const (
	streamUser uint64 = iota + 1
	streamToken
	streamSession
	streamAccount
	streamRow
	streamEntry
	streamUsage
)

func source(seed, stream uint64, n int) *rand.Rand {
	return rand.New(rand.NewPCG(seed*1_000_003+stream, uint64(n)))
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func text(seed, stream uint64, n, length int) string { return pick(seed, stream, n, length, letters) }

func hexID(seed, stream uint64, n int) string { return pick(seed, stream, n, 32, "0123456789abcdef") }

func pick(seed, stream uint64, n, length int, alphabet string) string {
	random := source(seed, stream, n)
	out := make([]byte, length)
	for i := range out {
		out[i] = alphabet[random.IntN(len(alphabet))]
	}
	return string(out)
}
