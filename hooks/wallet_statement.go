package hooks

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/statement"
)

// walletStatement sends what a wallet did in a period, from the opening to the
// closing of its chain, as a document that proves itself. It is read in steps and
// not in one snapshot, which a slow client would keep open: entries below a seq
// never change.
func (s *server) walletStatement(e *core.RequestEvent) error {
	subject, err := s.requireWalletReader(e)
	if err != nil {
		return err
	}
	period, err := s.statementPeriod(e, subject)
	if err != nil {
		return err
	}
	format, contentType := statement.JSON, "application/json"
	if wantsCSV(e) {
		format, contentType = statement.CSV, "text/csv; charset=utf-8"
	}
	header := e.Response.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Disposition", `attachment; filename="statement.`+string(format)+`"`)
	header.Set("Cache-Control", "no-store")

	out := deadlineWriter{w: e.Response, controller: http.NewResponseController(e.Response)}
	if _, err := statement.Write(out, format, period.header, s.entriesOf(e.Request.Context(), period)); err != nil {
		if e.Request.Context().Err() == nil { // else it was the client who left
			e.App.Logger().Error("A statement broke off", slog.String("subject", subject.ID), slog.Any("error", err))
		}
		panic(http.ErrAbortHandler) // a document that ends early must not look whole
	}
	return nil
}

// period is a part of a wallet's chain.
type period struct {
	header statement.Header
	last   int64 // the seq of its last entry, the opening's when there is none
}

func (s *server) statementPeriod(e *core.RequestEvent, subject ledger.Subject) (period, error) {
	ctx := e.Request.Context()
	wallet, err := s.ledger.Wallet(ctx, subject)
	if err != nil {
		return period{}, err
	}
	query := e.Request.URL.Query()
	from, err := instant(query, "from")
	if err != nil {
		return period{}, err
	}
	to, err := instant(query, "to")
	if err != nil {
		return period{}, err
	}
	if !to.IsZero() && to.Before(from) {
		return period{}, ledger.Invalid("to", "to lies before from: a period ends after it begins.")
	}
	p := period{header: statement.Header{Subject: subject, From: from, To: to}, last: wallet.Seq}
	if !to.IsZero() {
		if p.last, err = s.store.SeqBefore(ctx, subject, wallet.Seq, to); err != nil {
			return p, err
		}
	}
	if !from.IsZero() {
		p.header.Opening, err = s.opening(ctx, subject, p.last, from)
	}
	return p, err
}

func (s *server) opening(ctx context.Context, subject ledger.Subject, last int64, from time.Time) (statement.Point, error) {
	seq, err := s.store.SeqBefore(ctx, subject, last, from)
	if err != nil || seq == 0 {
		return statement.Point{}, err
	}
	entry, found, err := s.store.EntryAt(ctx, subject, seq)
	if err == nil && !found {
		err = fmt.Errorf("entry %d of %s is missing", seq, subject.ID)
	}
	return statement.Point{Balance: entry.BalanceAfter, Seq: seq, Hash: entry.Hash}, err
}

// entriesOf reads the entries of a period in steps, oldest first.
func (s *server) entriesOf(ctx context.Context, p period) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		for after := p.header.Opening.Seq; after < p.last; {
			step, err := s.store.EntriesAfter(ctx, p.header.Subject, after, p.last, ledger.MaxPageRows)
			if err == nil && len(step) == 0 {
				err = fmt.Errorf("entry %d of %s is missing", after+1, p.header.Subject.ID)
			}
			if err != nil {
				yield(ledger.Entry{}, err)
				return
			}
			for _, entry := range step {
				if !yield(entry, nil) {
					return
				}
				after = entry.Seq
			}
		}
	}
}

// deadlineWriter gives the client some time for each part, and not for the whole.
type deadlineWriter struct {
	w          io.Writer
	controller *http.ResponseController
}

func (d deadlineWriter) Write(part []byte) (int, error) {
	if err := d.controller.SetWriteDeadline(time.Now().Add(csvStepTimeout)); err != nil {
		return 0, err
	}
	return d.w.Write(part)
}
