package main

import (
	"net"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/e2e/testserver"
	"sokuji/hooks"
)

const naiveUsePath = "/naive/use"

// hashLength is what a hash in hexadecimal letters takes. The naive way has no
// chain, but its rows must not be shorter for it.
const hashLength = 64

var naiveHash = strings.Repeat("0", hashLength)

// serveNaive is the charge as most people would write it on PocketBase: three
// record saves in a transaction, with the real server's pragmas, columns and
// indexes, and without its ledger.
func serveNaive(folder string, wallets, rows int) error {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: folder, DBConnect: hooks.ConnectDatabase})
	if err := prepareNaive(app, wallets, rows); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Listener, e.InstallerFunc = listener, nil
		e.Router.POST(naiveUsePath, useNaively).Bind(apis.RequireSuperuserAuth(), apis.SkipSuccessActivityLog())
		return e.Next()
	})
	announce(listener.Addr().String())
	return apis.Serve(app, apis.ServeConfig{HttpAddr: listener.Addr().String()})
}

func prepareNaive(app core.App, wallets, rows int) error {
	if err := app.Bootstrap(); err != nil {
		return err
	}
	if err := app.RunAllMigrations(); err != nil {
		return err
	}
	for _, name := range naiveTables {
		if err := copyCollection(app, name); err != nil {
			return err
		}
	}
	if err := fillNaive(app, wallets, rows); err != nil {
		return err
	}
	superusers, err := app.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		return err
	}
	root := core.NewRecord(superusers)
	root.SetEmail(testserver.SuperuserEmail)
	root.SetPassword(testserver.SuperuserPassword)
	return app.Save(root)
}

func useNaively(e *core.RequestEvent) error {
	var form struct {
		UserID string `json:"userId"`
		Amount int    `json:"amount"`
	}
	if err := e.BindBody(&form); err != nil {
		return e.BadRequestError("The body is not valid.", err)
	}
	var wallet, entry, usage *core.Record
	err := e.App.RunInTransaction(func(tx core.App) (err error) {
		if wallet, err = tx.FindRecordById(naivePrefix+"wallets", form.UserID); err != nil {
			return err
		}
		if entry, err = saveEntry(tx, wallet, form.Amount); err != nil {
			return err
		}
		if err = saveWallet(tx, wallet, entry); err != nil {
			return err
		}
		usage, err = saveUsage(tx, entry, form.Amount)
		return err
	})
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{
		"success": true, "deducted": form.Amount, "remaining": wallet.GetInt("balance_tokens"),
		"ledgerEntry": entry, "usage": usage,
	})
}

func saveEntry(tx core.App, wallet *core.Record, amount int) (*core.Record, error) {
	left := wallet.GetInt("balance_tokens") - amount
	if left < 0 {
		return nil, apis.NewApiError(http.StatusPaymentRequired, "The balance is too low.", nil)
	}
	entry, err := newRecord(tx, "wallet_ledger")
	if err != nil {
		return nil, err
	}
	entry.Load(map[string]any{
		"subject_type": "user", "subject_id": wallet.Id, "seq": wallet.GetInt("seq") + 1,
		"amount_tokens": -amount, "balance_after": left, "event_type": "use",
		"created_at": now(), "prev_hash": naiveHash, "hash": naiveHash,
	})
	return entry, tx.Save(entry)
}

func saveWallet(tx core.App, wallet, entry *core.Record) error {
	wallet.Set("balance_tokens", entry.GetInt("balance_after"))
	wallet.Set("seq", entry.GetInt("seq"))
	wallet.Set("head_hash", naiveHash)
	return tx.Save(wallet)
}

func saveUsage(tx core.App, entry *core.Record, amount int) (*core.Record, error) {
	usage, err := newRecord(tx, "usage_logs")
	if err != nil {
		return nil, err
	}
	usage.Load(map[string]any{
		"subject_type": "user", "subject_id": entry.GetString("subject_id"), "charged_tokens": amount,
		"ledger_id": entry.Id, "created_at": entry.GetString("created_at"),
	})
	return usage, tx.Save(usage)
}

func newRecord(tx core.App, table string) (*core.Record, error) {
	collection, err := tx.FindCachedCollectionByNameOrId(naivePrefix + table)
	if err != nil {
		return nil, err
	}
	return core.NewRecord(collection), nil
}
