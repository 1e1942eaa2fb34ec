package simulate

import (
	"errors"

	"sokuji/internal/ledger"
)

// transaction fails as its disk does. Once begun it always gives its turn back,
// also when the process dies, because the next process needs it.
type transaction struct {
	ledger.Tx
	disk *disk
}

func (t *transaction) Wallet(subject ledger.Subject) (ledger.Wallet, bool, error) {
	if err := t.disk.step("read a wallet"); err != nil {
		return ledger.Wallet{}, false, err
	}
	return t.Tx.Wallet(subject)
}

func (t *transaction) Request(key ledger.RequestKey) (ledger.StoredRequest, bool, error) {
	if err := t.disk.step("read a request"); err != nil {
		return ledger.StoredRequest{}, false, err
	}
	return t.Tx.Request(key)
}

func (t *transaction) Write(changes *ledger.Changes) error {
	d := t.disk
	if err := d.step("write"); err != nil {
		return err
	}
	if d.full == 0 && d.chance(d.rates.full) {
		d.full = 1 + d.random.IntN(longestFull)
	}
	if d.full > 0 && !d.calm {
		d.full--
		return d.fault("write", errFull)
	}
	if d.chance(d.rates.conflict) {
		return d.fault("write", ledger.ErrConflict)
	}
	if err := t.Tx.Write(changes); err != nil {
		return err
	}
	if d.chance(d.rates.crash) {
		return d.crash("after write")
	}
	return nil
}

// Commit may fail on either side of the moment at which the batch is on disk,
// with and without the process dying, and nobody above can tell which it was.
func (t *transaction) Commit() error {
	d := t.disk
	if err := d.step("commit"); err != nil {
		return errors.Join(err, t.Tx.Rollback())
	}
	if d.chance(d.rates.crash) {
		return t.crashDuring()
	}
	if d.chance(d.rates.fail) {
		if err := t.Tx.Commit(); err != nil {
			return err
		}
		return d.fault("commit, which is on disk", errBroken)
	}
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	if d.chance(d.rates.crash) {
		_ = d.crash("after commit") // the batch is on disk; its answers are lost
	}
	return nil
}

func (t *transaction) crashDuring() error {
	if t.disk.random.IntN(2) == 0 {
		return errors.Join(t.disk.crash("during commit, lost"), t.Tx.Rollback())
	}
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	return t.disk.crash("during commit, kept")
}
