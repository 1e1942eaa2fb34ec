package hooks

import (
	"context"
	"errors"
	"log/slog"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
	"sokuji/internal/ledger"
)

const (
	// deletedByKey is where a user's record carries who deletes it.
	deletedByKey = "@sokujiDeletedBy"
	// deletedBySystem stands where nobody said so.
	deletedBySystem = "system"
	// maxClosingsPerStart bounds what is caught up with when the server starts; more
	// than that is left for the next start.
	maxClosingsPerStart = 10_000
)

// bindWalletClosings freezes the wallet of a deleted user: nothing is spent or held
// any more, what is held already settles, and the ledger stays. The transaction
// that deletes the user only notes it down, because the ledger writes in its own;
// a note that a crash left behind is found at the next start.
func bindWalletClosings(app core.App, s *server) {
	app.OnRecordDeleteRequest(usersCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		e.Record.SetRaw(deletedByKey, callerOf(e.RequestEvent).actor())
		return e.Next()
	})
	app.OnRecordAfterDeleteSuccess(usersCollection).BindFunc(func(e *core.RecordEvent) error {
		s.closeWallet(accounts.Closing{UserID: e.Record.Id, Actor: deletedBy(e.Record)})
		return e.Next()
	})
	left, err := accounts.Closings(app.DB(), maxClosingsPerStart)
	if err != nil {
		app.Logger().Error("The wallets of deleted users could not be looked up", slog.Any("error", err))
	}
	for _, closing := range left {
		s.closeWallet(closing)
	}
}

// closeWallet carries a note out and takes it away. When it cannot, the note stays.
func (s *server) closeWallet(closing accounts.Closing) {
	subject := ledger.UserSubject(closing.UserID)
	_, err := s.ledger.Do(context.Background(), ledger.Freeze{
		Request: ledger.Request{Subject: subject, Actor: closing.Actor}, Reason: accounts.ReasonDeleted,
	})
	if refused, ok := errors.AsType[*ledger.Error](err); ok && refused.Code == ledger.CodeWalletNotFound {
		err = nil // nothing to close
	}
	if err == nil {
		err = accounts.ForgetClosing(s.app.NonconcurrentDB(), closing.UserID)
	}
	if err != nil {
		s.app.Logger().Error("The wallet of a deleted user is not frozen yet: the next start tries again",
			slog.String("user", closing.UserID), slog.Any("error", err))
	}
}

func deletedBy(record *core.Record) string {
	if actor, _ := record.GetRaw(deletedByKey).(string); actor != "" {
		return actor
	}
	return deletedBySystem
}
