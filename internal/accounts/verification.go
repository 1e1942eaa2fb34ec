package accounts

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"sokuji/internal/betterauth"
)

// Purpose is what a mailed code is good for, and nothing else.
type Purpose string

// The purposes of mailed codes, by Better Auth's names.
const (
	PurposeSignIn      Purpose = "sign-in"
	PurposeVerifyEmail Purpose = "email-verification"
	PurposeForgotten   Purpose = "forget-password"
)

const (
	// CodeLifetime is how long a mailed code is good.
	CodeLifetime = 5 * time.Minute
	// CodeAttempts is how many wrong guesses a code survives: with the last one it
	// is over.
	CodeAttempts = 3
	codeDigits   = 6
)

// What is wrong with a code.
var (
	ErrCodeInvalid  = errors.New("the code is wrong, or there is none")
	ErrCodeExpired  = errors.New("the code has expired")
	ErrCodeAttempts = errors.New("the code was guessed at too often")
)

// Verifications keeps mailed codes and one-time tokens. A code has six digits, so
// a plain hash of it would be found in no time: codes are stored under a key that
// is not in the database. The key comes from the server's secret, and with a new
// secret the codes that are out are worthless.
type Verifications struct {
	writer *sql.DB
	key    []byte
	now    func() time.Time
	random io.Reader
}

// NewVerifications uses PocketBase's write pool; the schema must be there.
func NewVerifications(writer *sql.DB, secret []byte, now func() time.Time) *Verifications {
	return &Verifications{
		writer: writer, key: betterauth.PurposeKey(secret, "mailed codes"), now: now, random: rand.Reader,
	}
}

// NewCode makes a code for an address and returns it: six digits, in the place of
// the one that this address had for this purpose. owner is who has the address
// now, the zero Owner when nobody does: the code is good only as long as that is
// so, and as long as nothing replaced the owner's token key.
func (v *Verifications) NewCode(ctx context.Context, purpose Purpose, address string, owner Owner) (string, error) {
	number, err := rand.Int(v.random, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("a code: %w", err)
	}
	code := fmt.Sprintf("%0*d", codeDigits, number)
	now := v.now()
	_, err = v.writer.ExecContext(ctx, `
		INSERT INTO verifications (purpose, subject, hash, user_id, token_key_hash, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (purpose, subject) DO UPDATE SET hash = excluded.hash, user_id = excluded.user_id,
			token_key_hash = excluded.token_key_hash, attempts = 0, created_at = excluded.created_at, expires_at = excluded.expires_at`,
		string(purpose), address, v.hash(purpose, address, code), nullable(owner.ID), keyHash(owner),
		formatTime(now), formatTime(now.Add(CodeLifetime)))
	if err != nil {
		return "", fmt.Errorf("store a code: %w", err)
	}
	return code, nil
}

// UseCode takes the code of an address: right once and never again. owner is who
// has the address now. Errors: ErrCodeInvalid, ErrCodeExpired, ErrCodeAttempts.
func (v *Verifications) UseCode(ctx context.Context, purpose Purpose, address string, owner Owner, code string) error {
	return v.tryCode(ctx, purpose, address, owner, code, true)
}

// CheckCode does as UseCode, but leaves a right code in place.
func (v *Verifications) CheckCode(ctx context.Context, purpose Purpose, address string, owner Owner, code string) error {
	return v.tryCode(ctx, purpose, address, owner, code, false)
}

// tryCode compares and counts in one transaction, on the one connection that
// writes: however many guesses come at once, they are tried one after the other.
// A client that leaves halfway has guessed all the same.
func (v *Verifications) tryCode(ctx context.Context, purpose Purpose, address string, owner Owner, code string, use bool) error {
	ctx = context.WithoutCancel(ctx)
	tx, err := v.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("try a code: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	verdict, err := v.judge(ctx, tx, purpose, address, owner, code)
	if err != nil {
		return err
	}
	over := verdict != nil && !errors.Is(verdict, ErrCodeInvalid)
	if over || verdict == nil && use {
		_, err = tx.ExecContext(ctx, `DELETE FROM verifications WHERE purpose = ? AND subject = ?`, string(purpose), address)
	} else if verdict != nil {
		_, err = tx.ExecContext(ctx, `UPDATE verifications SET attempts = attempts + 1 WHERE purpose = ? AND subject = ?`, string(purpose), address)
	}
	if err != nil {
		return fmt.Errorf("count a guess: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("count a guess: %w", err)
	}
	return verdict
}

// judge returns what is wrong with a code as verdict.
func (v *Verifications) judge(ctx context.Context, tx *sql.Tx, purpose Purpose, address string, owner Owner, code string) (verdict, err error) {
	var hash, userID, tokenKeyHash, expires string
	var attempts int
	err = tx.QueryRowContext(ctx, `
		SELECT hash, COALESCE(user_id, ''), token_key_hash, attempts, expires_at FROM verifications
		WHERE purpose = ? AND subject = ?`, string(purpose), address).Scan(&hash, &userID, &tokenKeyHash, &attempts, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrCodeInvalid, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a code: %w", err)
	}
	right := subtle.ConstantTimeCompare([]byte(hash), []byte(v.hash(purpose, address, code))) == 1
	sameOwner := userID == owner.ID && tokenKeyHash == keyHash(owner)
	switch {
	case expires <= formatTime(v.now()):
		return ErrCodeExpired, nil
	case attempts >= CodeAttempts:
		return ErrCodeAttempts, nil
	case !right || !sameOwner:
		return ErrCodeInvalid, nil
	}
	return nil, nil
}

// hash binds a code to what it is for and to whom it was sent.
func (v *Verifications) hash(purpose Purpose, address, code string) string {
	mac := hmac.New(sha256.New, v.key)
	fmt.Fprintf(mac, "%s\x00%d\x00%s\x00%s", purpose, len(address), address, code)
	return hex.EncodeToString(mac.Sum(nil))
}

// DeleteExpired removes codes and tokens that are over, at most limit of them, and
// returns how many.
func (v *Verifications) DeleteExpired(ctx context.Context, limit int64) (int64, error) {
	result, err := v.writer.ExecContext(ctx, `
		DELETE FROM verifications WHERE (purpose, subject) IN (
			SELECT purpose, subject FROM verifications WHERE expires_at <= ? LIMIT ?)`, formatTime(v.now()), limit)
	if err != nil {
		return 0, fmt.Errorf("delete expired codes: %w", err)
	}
	return result.RowsAffected()
}

func keyHash(owner Owner) string {
	if owner.ID == "" {
		return ""
	}
	return tokenHash(owner.TokenKey)
}

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}
