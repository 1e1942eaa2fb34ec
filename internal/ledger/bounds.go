package ledger

// Bounds of every figure that the ledger accepts or stores, in tokens. They stay
// below 2^53 so that a number survives JSON clients that only know doubles.
const (
	MaxAmountTokens  int64 = 1_000_000_000_000_000 // 10^15, one operation
	MaxBalanceTokens int64 = 9_000_000_000_000_000 // 9·10^15, either sign
)

// MaxLiveGrants bounds the grants with tokens left that one wallet may have at a
// time, because a debit looks at them all.
const MaxLiveGrants = 1_000

// MaxBatchUses bounds the uses of one UseBatch.
const MaxBatchUses = 1_000

// Bounds of the texts that travel with an operation, in bytes.
const (
	MaxIdempotencyKeyBytes = 255
	MaxExternalEventBytes  = 255
	MaxReferenceBytes      = 255
	MaxDescriptionBytes    = 1_000
	MaxMetadataBytes       = 16 * 1024
)
