package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"sokuji/internal/ledger"
)

var _ ledger.Store = (*Store)(nil)

// Store is the ledger's store in SQLite.
type Store struct {
	writer *sql.DB // PocketBase's write pool, one connection
	reader *sql.DB // PocketBase's read pool
	write  statements
	wallet *sql.Stmt // the reader's

	// archiveCutoff is the time before which usage rows may be archived, as it is
	// stored; empty: none are.
	archiveCutoff atomic.Pointer[string]

	zoneCache zoneCache
}

// Open prepares the statements. The schema must be there. The two pools stay
// PocketBase's: Close leaves them open.
func Open(writer, reader *sql.DB) (*Store, error) {
	write, err := prepareAll(writer)
	if err != nil {
		return nil, err
	}
	wallet, err := reader.Prepare(selectWallet)
	if err != nil {
		return nil, errors.Join(err, write.close())
	}
	s := &Store{writer: writer, reader: reader, write: write, wallet: wallet}
	if err := s.loadArchiveCutoff(context.Background()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close gives the prepared statements back.
func (s *Store) Close() error {
	return errors.Join(s.write.close(), s.wallet.Close())
}

// Wallet reads the committed state of a wallet.
func (s *Store) Wallet(ctx context.Context, subject ledger.Subject) (ledger.Wallet, bool, error) {
	return scanWallet(s.wallet.QueryRowContext(ctx, subject.ID, string(subject.Type)))
}

// Begin opens the write transaction. data.db is opened with _txlock=immediate,
// so it holds the write lock from here on.
func (s *Store) Begin(ctx context.Context) (ledger.Tx, error) {
	sqlTx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	return &tx{sql: sqlTx, statements: &s.write}, nil
}

// statements are prepared once on the write pool; database/sql prepares them
// again by itself when PocketBase's idle connection was replaced.
type statements struct {
	selectWallet, selectRequest, selectEntry, selectExternalEvent, selectUsage, sumRefunds *sql.Stmt
	selectHold, selectOpenHolds, selectGrant, selectGrants, sumMoves, selectSpending       *sql.Stmt
	insertEntry, insertUsage, insertPlainUsage, insertAudit, insertRequest, insertMove     *sql.Stmt
	updateWallet, addDaily, addQuarter, moveEntitlement, putHold, putGrant, putSpending    *sql.Stmt
}

func (s *statements) byText() map[string]**sql.Stmt {
	return map[string]**sql.Stmt{
		selectWallet:        &s.selectWallet,
		selectRequest:       &s.selectRequest,
		selectEntry:         &s.selectEntry,
		selectExternalEvent: &s.selectExternalEvent,
		selectUsage:         &s.selectUsage,
		sumRefunds:          &s.sumRefunds,
		insertEntry:         &s.insertEntry,
		insertUsage:         &s.insertUsage,
		insertPlainUsage:    &s.insertPlainUsage,
		insertAudit:         &s.insertAudit,
		insertRequest:       &s.insertRequest,
		updateWallet:        &s.updateWallet,
		addDaily:            &s.addDaily,
		moveEntitlement:     &s.moveEntitlement,
		addQuarter:          &s.addQuarter,
		selectHold:          &s.selectHold,
		selectOpenHolds:     &s.selectOpenHolds,
		putHold:             &s.putHold,
		selectGrant:         &s.selectGrant,
		selectGrants:        &s.selectGrants,
		putGrant:            &s.putGrant,
		sumMoves:            &s.sumMoves,
		insertMove:          &s.insertMove,
		selectSpending:      &s.selectSpending,
		putSpending:         &s.putSpending,
	}
}

func prepareAll(db *sql.DB) (statements, error) {
	var s statements
	for text, target := range s.byText() {
		stmt, err := db.Prepare(text)
		if err != nil {
			return s, errors.Join(fmt.Errorf("prepare %q: %w", text, err), s.close())
		}
		*target = stmt
	}
	return s, nil
}

func (s *statements) close() error {
	var errs []error
	for _, stmt := range s.byText() {
		if *stmt != nil {
			errs = append(errs, (*stmt).Close())
		}
	}
	return errors.Join(errs...)
}
