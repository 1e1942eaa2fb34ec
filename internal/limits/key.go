package limits

import "crypto/sha256"

// maxKeyBytes is the longest key that is remembered as it is, in bytes. It
// bounds the memory of one key.
const maxKeyBytes = 128

// boundedKey returns the key itself or, when it is long, its hash behind a
// marker. A key that short can only equal such a hash on purpose, and then only
// shares its own sender's limit.
func boundedKey(key string) string {
	if len(key) <= maxKeyBytes {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + string(sum[:])
}
