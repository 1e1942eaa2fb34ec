package d1import

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"

	"sokuji/internal/ledger"
)

// adjustmentEvent names the n-th adjustment of a wallet. It is an external event,
// so that the books find it and no two exist.
func adjustmentEvent(subject ledger.Subject, n int) string {
	event := fmt.Sprintf("%s%s:%s:%d", adjustmentPrefix, subject.Type, subject.ID, n)
	if len(event) <= ledger.MaxExternalEventBytes {
		return event
	}
	return hashedEnd(event, ledger.MaxExternalEventBytes)
}

const adjustmentPrefix = "d1-import:balance:"

// adjustmentIDLength is that of the original's own ids, in hexadecimal digits.
const adjustmentIDLength = 32

// maxAdjustments bounds the adjustments of one wallet: each later dump may bring
// one, or as many as a difference beyond the bound of one entry takes.
const maxAdjustments = 10_000

// adjust makes up for what a wallet's stored balance has more or less than its
// entries, in entries that say so. What earlier runs have made up for counts, so
// that the same dump makes none twice, and a later one the difference.
func (b *bookkeeper) adjust(wallet *walletSum) error {
	if !wallet.isStored {
		return nil
	}
	missing := wallet.stored - wallet.sum
	made := int64(0)
	n := 0
	for ; n < maxAdjustments; n++ {
		var amount sql.NullInt64
		err := b.Writer.QueryRowContext(b.ctx,
			`SELECT SUM(amount_tokens) FROM wallet_ledger WHERE external_event_id = ? AND external_event_id != ''`,
			adjustmentEvent(wallet.subject, n)).Scan(&amount)
		if err != nil {
			return fmt.Errorf("read an adjustment: %w", err)
		}
		if !amount.Valid {
			break
		}
		if !wallet.events[adjustmentEvent(wallet.subject, n)] {
			made += amount.Int64
		}
	}
	if missing == made {
		return nil
	}
	for ; missing != made && n < maxAdjustments; n++ {
		step := max(-ledger.MaxAmountTokens, min(ledger.MaxAmountTokens, missing-made))
		made += step
		p := pendingEntry{entry: b.adjustment(wallet, n, step), id: fmt.Sprintf("%s: stored %d, ledger %d", wallet.subject.ID, wallet.stored, wallet.sum)}
		if missing == made {
			p.notes = []string{"its stored balance was not the sum of its ledger: an adjust entry makes up for the difference"}
		}
		b.pending = append(b.pending, p)
	}
	return nil
}

// settleAdjustment tells of an adjustment when it is written.
func (b *bookkeeper) settleAdjustment(p *pendingEntry, result ledger.ImportResult) error {
	switch result.State {
	case ledger.ImportDone:
		b.report.Table("wallet_ledger").Made++
		for _, note := range p.notes {
			b.report.Table("wallets").note(note, p.id)
		}
	case ledger.ImportRefused:
		b.refuse(p, result.Err.Error())
	default:
		b.refuse(p, "another entry has its id or its event")
	}
	return nil
}

func (b *bookkeeper) adjustment(wallet *walletSum, n int, amount int64) ledger.ImportedEntry {
	event := adjustmentEvent(wallet.subject, n)
	sum := sha256.Sum256([]byte(event))
	return ledger.ImportedEntry{
		Subject:         wallet.subject,
		ID:              hex.EncodeToString(sum[:])[:adjustmentIDLength],
		At:              b.now,
		Amount:          amount,
		EventType:       ledger.EventAdjust,
		ReferenceType:   "d1_import",
		ExternalEventID: event,
		Description: fmt.Sprintf("Import from Cloudflare D1: the stored balance was %d tokens, and the ledger added up to %d.",
			wallet.stored, wallet.sum),
	}
}
