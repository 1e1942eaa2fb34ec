package d1import

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/sqlitestore"
)

// walletSubjects are all who have a wallet or entries.
const walletSubjects = `SELECT t.subject_type, t.subject_id FROM d1_wallets t WHERE ` + isSubject + `
UNION SELECT t.subject_type, t.subject_id FROM d1_wallet_ledger t WHERE ` + isSubject + ` ORDER BY 1, 2`

// money writes the ledger, wallet by wallet, each in the order of its entries'
// times and, at the same time, of the dump; and then what a wallet's stored balance
// has more or less than its entries.
func (i *importer) money() (err error) {
	rows, err := i.staging.db.QueryContext(i.ctx, walletSubjects)
	if err != nil {
		return fmt.Errorf("list the wallets: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	books := &bookkeeper{importer: i}
	for rows.Next() {
		var subject ledger.Subject
		if err := rows.Scan(&subject.Type, &subject.ID); err != nil {
			return fmt.Errorf("list the wallets: %w", err)
		}
		if err := books.wallet(subject); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return books.finish()
}

// bookkeeper gathers entries into batches.
type bookkeeper struct {
	*importer
	pending []pendingEntry
	usage   int          // usage rows of the pending entries
	ended   []*walletSum // wallets whose last entry is pending or written
}

// walletSum is what a wallet's dump says, and what of it is in the books.
type walletSum struct {
	subject ledger.Subject
	sum     int64 // of the entries that are in the books
	stored  int64
	// isStored: the dump has a balance that can be held against the sum.
	isStored bool
	// events are the external events of our own adjustments that the dump has, which
	// comes from a server like this one then: they are in the sum. So are those whose
	// money another entry of the books brought.
	events map[string]bool
}

func (w *walletSum) add(entry ledger.ImportedEntry) {
	w.sum += entry.Amount
	if strings.HasPrefix(entry.ExternalEventID, adjustmentPrefix) {
		w.counted(entry.ExternalEventID)
	}
}

func (w *walletSum) counted(event string) {
	if w.events == nil {
		w.events = make(map[string]bool)
	}
	w.events[event] = true
}

type pendingEntry struct {
	entry ledger.ImportedEntry
	// wallet is nil for an adjustment of ours; its notes are the wallet's then.
	wallet *walletSum
	id     string
	notes  []string
}

func (b *bookkeeper) wallet(subject ledger.Subject) error {
	isOwner, err := b.ensureWallet(subject)
	if err != nil {
		return err
	}
	sum := &walletSum{subject: subject}
	const inOrder = `WHERE t.subject_type = ? AND t.subject_id = ? ORDER BY t.at_ms, t.pos`
	err = b.staging.each(b.ctx, tableNamed("wallet_ledger"), inOrder, []any{string(subject.Type), subject.ID}, func(pos int64, r *row) error {
		if err := b.take(r, pos, sum, isOwner); err != nil {
			return err
		}
		return b.step()
	})
	if err != nil || !isOwner {
		return err
	}
	if err := b.readStored(sum); err != nil {
		return err
	}
	if b.ended = append(b.ended, sum); len(b.ended) >= batchEntries {
		return b.flush()
	}
	return nil
}

// take adds an entry, with its usage rows, to what is pending.
func (b *bookkeeper) take(r *row, pos int64, wallet *walletSum, isOwner bool) error {
	isFirst, err := b.isFirst(r, pos)
	if err != nil {
		return err
	}
	if !isFirst {
		b.skipEntry(r.id(), reasonTwice, nil) // its usage rows are those of the first
		return nil
	}
	usage, err := b.usageOf(r)
	if err != nil {
		return err
	}
	reason := reasonOtherOwner
	var entry ledger.ImportedEntry
	if isOwner {
		entry, reason = b.entryOf(r, wallet.subject)
	}
	if reason != "" {
		b.skipEntry(r.id(), reason, idsOf(usage))
		return nil
	}
	b.addUsage(&entry, usage)
	b.pending = append(b.pending, pendingEntry{entry: entry, wallet: wallet, id: r.id(), notes: r.notes})
	if b.usage += len(entry.Usage); len(b.pending) < batchEntries && b.usage < batchEntries {
		return nil
	}
	return b.flush()
}

// isFirst tells whether a row is the first of its wallet with its id. The money of
// the others would count twice, though it is in the books once.
func (b *bookkeeper) isFirst(r *row, pos int64) (bool, error) {
	if !b.hasTwins || r.value("id") == nil { // without an id it is refused anyway
		return true, nil
	}
	first, err := b.staging.number(b.ctx, `SELECT MIN(pos) FROM d1_wallet_ledger WHERE id = ? AND subject_type = ? AND subject_id = ?`,
		r.value("id"), r.value("subject_type"), r.value("subject_id"))
	return first == pos, err
}

// ensureWallet makes the wallet of a user who does not exist: what they were paid
// and used stays in the books. It tells whether the wallet is the subject's.
func (b *bookkeeper) ensureWallet(subject ledger.Subject) (isOwner bool, err error) {
	isCounted := subject.Type == ledger.SubjectOrganization
	if !isCounted {
		if isCounted, err = b.isUserImported(subject.ID); err != nil {
			return false, err
		}
	}
	err = b.inTransaction(func(tx *sql.Tx) error {
		if !isCounted {
			b.report.Table("wallets").note("there is no user of its id: the wallet and its ledger are kept without an owner", subject.ID)
			if err := b.importer.wallet(tx, subject, ""); err != nil {
				return err
			}
		}
		here, found, err := sqlitestore.WalletOwner(b.ctx, tx, subject.ID)
		isOwner = found && here == subject
		return err
	})
	return isOwner, err
}

// readStored reads the balance that the dump has for a wallet.
func (b *bookkeeper) readStored(sum *walletSum) error {
	report := b.report.Table("wallets")
	rows, err := b.staging.list(b.ctx, tableNamed("wallets"), ofSubject, []any{string(sum.subject.Type), sum.subject.ID}, 1)
	if err != nil || len(rows) == 0 {
		return err
	}
	r := rows[0]
	balance, ok := r.tokens("balance_tokens")
	if !ok || balance > ledger.MaxBalanceTokens || balance < -ledger.MaxBalanceTokens {
		r.note("balance_tokens is no number of tokens up to 9·10^15: the sum of the ledger counts")
		ok = false
	}
	sum.stored, sum.isStored = balance, ok
	r.tell(report)
	return nil
}

// finish writes what is pending, and then the adjustments that follow from it.
func (b *bookkeeper) finish() error {
	for len(b.pending) > 0 || len(b.ended) > 0 {
		if err := b.flush(); err != nil {
			return err
		}
	}
	return nil
}

// flush writes the pending entries. The wallets that have ended get their
// adjustment with the next flush, when it is known which entries are in.
func (b *bookkeeper) flush() error {
	if err := b.write(b.pending, b.isFresh); err != nil {
		return err
	}
	b.pending, b.usage = b.pending[:0], 0
	for _, wallet := range b.ended {
		if err := b.adjust(wallet); err != nil {
			return err
		}
	}
	b.ended = b.ended[:0]
	return nil
}

func (b *bookkeeper) write(pending []pendingEntry, isFresh bool) error {
	for chunk := range slices.Chunk(pending, ledger.MaxImportRows) {
		entries := make([]ledger.ImportedEntry, len(chunk))
		for n := range chunk {
			entries[n] = chunk[n].entry
		}
		results, err := ledger.Import(b.ctx, b.Store, entries, isFresh)
		switch {
		case errors.Is(err, ledger.ErrConflict) && isFresh:
			if err := b.write(chunk, false); err != nil {
				return err
			}
		case errors.Is(err, ledger.ErrConflict) && len(chunk) > 1:
			// One row breaks a constraint: those beside it are innocent.
			half := len(chunk) / 2
			if err := errors.Join(b.write(chunk[:half], false), b.write(chunk[half:], false)); err != nil {
				return err
			}
		case errors.Is(err, ledger.ErrConflict):
			b.refuse(&chunk[0], "it breaks a constraint of the database")
		case err != nil:
			return fmt.Errorf("write the ledger: %w", err)
		default:
			if err := b.settleAll(chunk, results); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bookkeeper) settleAll(chunk []pendingEntry, results []ledger.ImportResult) error {
	for n, result := range results {
		settle := b.settle
		if chunk[n].wallet == nil {
			settle = b.settleAdjustment
		}
		if err := settle(&chunk[n], result); err != nil {
			return err
		}
	}
	return nil
}

// refuse skips a row of the dump, or tells of an adjustment that is missing.
func (b *bookkeeper) refuse(p *pendingEntry, reason string) {
	if p.wallet == nil {
		b.report.Table("wallet_ledger").note("an adjustment could not be written: "+reason, p.entry.Subject.ID)
		return
	}
	b.skipEntry(p.id, reason, usageIDs(p.entry))
}

// settle counts what became of an entry and of its usage rows.
func (b *bookkeeper) settle(p *pendingEntry, result ledger.ImportResult) error {
	report := b.report.Table("wallet_ledger")
	switch result.State {
	case ledger.ImportDone, ledger.ImportKnown:
		p.wallet.add(p.entry)
		report.settle(result.State == ledger.ImportDone)
		for n, state := range result.Usage {
			b.settleUsage(p.entry.Usage[n].ID, state)
		}
	case ledger.ImportEvent:
		isPaid, err := b.isPaid(p, result.Holder)
		if err != nil {
			return err
		}
		reason := "another entry has its external_event_id, and not its money"
		if isPaid {
			p.wallet.add(p.entry)
			p.wallet.counted(p.entry.ExternalEventID)
			reason = "another entry has its external_event_id: its money is in the books already"
		}
		b.skipEntry(p.id, reason, usageIDs(p.entry))
	case ledger.ImportRefused:
		b.refuse(p, result.Err.Error())
	}
	for _, note := range p.notes {
		report.note(note, p.id)
	}
	return nil
}

// isPaid tells whether the entry that has an external event brought the very money
// of a row of the dump, as one that was posted here does for a payment that both
// backends heard of. It does so once, and not if it is itself a row of the dump.
func (b *bookkeeper) isPaid(p *pendingEntry, holder ledger.Entry) (bool, error) {
	if holder.Subject != p.entry.Subject || holder.Amount != p.entry.Amount || p.wallet.events[p.entry.ExternalEventID] {
		return false, nil
	}
	isStaged, err := b.staging.number(b.ctx, `SELECT EXISTS (SELECT 1 FROM d1_wallet_ledger WHERE id = ? AND subject_type = ? AND subject_id = ?)`,
		holder.ID, string(holder.Subject.Type), holder.Subject.ID)
	return isStaged == 0, err
}

func (b *bookkeeper) skipEntry(id, reason string, usage []string) {
	b.report.Table("wallet_ledger").skip(reason, id)
	for _, id := range usage {
		b.report.Table("usage_logs").skip("the entry that it names was skipped", id)
	}
}

func usageIDs(entry ledger.ImportedEntry) []string {
	ids := make([]string, len(entry.Usage))
	for n, row := range entry.Usage {
		ids[n] = row.ID
	}
	return ids
}
