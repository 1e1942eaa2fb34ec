package hooks

import (
	"slices"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// guard says why a collection is not edited through PocketBase, and what to do.
type guard struct {
	collection string
	advice     string
	insertOnly bool // new rows are welcome, changes are not
}

// guards cover every table whose rows are books. Behind them stand the triggers
// of the migrations, which also hold against raw SQL.
var guards = []guard{
	{collection: "wallets", advice: "Wallets change only through the ledger: use POST /api/wallet/mint, /api/wallet/adjust, /api/wallet/refund, /api/wallet/freeze or /api/wallet/unfreeze."},
	{collection: "wallet_ledger", advice: "The ledger is append-only: reverse an entry with POST /api/wallet/refund, or correct a balance with POST /api/wallet/adjust."},
	{collection: "wallet_holds", advice: "Holds change only through the ledger: use POST /api/wallet/holds/{id}/extend, /settle or /release."},
	{collection: "wallet_grants", advice: "Grants follow the ledger by themselves: mint with expiresAt by POST /api/wallet/mint, take back by POST /api/wallet/refund or /api/wallet/adjust."},
	{collection: "usage_logs", advice: "Usage is recorded by POST /api/wallet/use and given back by POST /api/wallet/refund."},
	{collection: "usage_daily", advice: "These sums follow POST /api/wallet/use by themselves."},
	{collection: "audit_log", advice: "The audit log is written by the routes below /api/wallet/ themselves, and never changes."},
	{collection: pricesCollection, insertOnly: true, advice: "A price never changes, because charges refer to it: add a new row with a later effective_from. POST /api/wallet/use takes it from then on."},
}

// ownCollections are needed for the server to run, guarded or not.
var ownCollections = []string{
	"wallets", "wallet_ledger", "wallet_holds", "wallet_grants", "usage_logs", "usage_daily", "audit_log", pricesCollection,
	usersCollection, "app_user", plansCollection, entitlementsCollection, sessionsCollection, keysCollection, "webhook_logs",
	organizationsCollection, membershipsCollection, providersCollection,
}

const (
	schemaAdvice   = "This collection belongs to the server: its schema changes with a migration of the program, not here."
	truncateAdvice = "This collection is not truncated: delete its records one by one, so that what hangs on them ends too."
	importAdvice   = "Leave the server's own collections out of the import, and deleteMissing off: their schema changes with a migration of the program. Balances are changed by POST /api/wallet/adjust."
	consoleAdvice  = "The SQL console is off, because it would write past the ledger. Read a copy of data.db with sqlite3 -readonly; change balances with POST /api/wallet/adjust."
	apiKeyAdvice   = "A key is made by its user at /api/user/api-keys, because only its hash is stored. Disable or delete keys here."
)

// bindMoneyGuards refuses every edit of a money row, superusers included, with a
// sentence that says which route does it properly.
func bindMoneyGuards(app core.App) {
	for _, g := range guards {
		refuse := func(*core.RecordEvent) error { return apis.NewForbiddenError(g.advice, nil) }
		if !g.insertOnly {
			app.OnRecordCreate(g.collection).BindFunc(refuse)
		}
		app.OnRecordUpdate(g.collection).BindFunc(refuse)
		app.OnRecordDelete(g.collection).BindFunc(refuse)
	}
	app.OnRecordCreateRequest(keysCollection).BindFunc(func(*core.RecordRequestEvent) error {
		return apis.NewForbiddenError(apiKeyAdvice, nil)
	})

	refuseSchema := func(e *core.CollectionRequestEvent) error {
		if slices.Contains(ownCollections, e.Collection.Name) || slices.Contains(ownCollections, originalName(e)) {
			return apis.NewForbiddenError(schemaAdvice, nil)
		}
		return e.Next()
	}
	app.OnCollectionDeleteRequest().BindFunc(refuseSchema)
	app.OnCollectionUpdateRequest().BindFunc(func(e *core.CollectionRequestEvent) error {
		if originalName(e) == usersCollection && e.Collection.Name == usersCollection {
			return e.Next() // operators add fields and sign-in providers to users
		}
		return refuseSchema(e)
	})
	app.OnCollectionsImportRequest().BindFunc(func(e *core.CollectionsImportRequestEvent) error {
		if e.DeleteMissing || slices.ContainsFunc(e.CollectionsData, func(c map[string]any) bool { return importsOwn(e.App, c) }) {
			return apis.NewForbiddenError(importAdvice, nil)
		}
		return e.Next()
	})
}

// originalName is the collection's name before the request renamed it.
func originalName(e *core.CollectionRequestEvent) string {
	stored, err := e.App.FindCachedCollectionByNameOrId(e.Collection.Id)
	if err != nil {
		return ""
	}
	return stored.Name
}

// importsOwn tells whether an imported definition reaches one of our collections,
// by its id or by its name.
func importsOwn(app core.App, definition map[string]any) bool {
	for _, key := range []string{"id", "name"} {
		identifier, _ := definition[key].(string)
		if collection, err := app.FindCachedCollectionByNameOrId(identifier); err == nil &&
			slices.Contains(ownCollections, collection.Name) {
			return true
		}
	}
	return false
}

// refuseSideDoors closes the superuser's routes that no record event covers.
func refuseSideDoors() *hook.Handler[*core.RequestEvent] {
	return &hook.Handler[*core.RequestEvent]{
		Id: "sokujiSideDoors",
		Func: func(e *core.RequestEvent) error {
			switch e.Request.Pattern {
			case "POST /api/sql":
				if e.HasSuperuserAuth() {
					return e.ForbiddenError(consoleAdvice, nil)
				}
			case "DELETE /api/collections/{collection}/truncate":
				collection, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
				if err == nil && e.HasSuperuserAuth() && slices.Contains(ownCollections, collection.Name) {
					return e.ForbiddenError(truncateReason(collection.Name), nil)
				}
			}
			return e.Next()
		},
	}
}

func truncateReason(collection string) string {
	for _, g := range guards {
		if g.collection == collection {
			return g.advice
		}
	}
	return truncateAdvice
}
