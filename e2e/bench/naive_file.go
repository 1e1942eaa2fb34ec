package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // PocketBase's own tables
	"github.com/pocketbase/pocketbase/tools/dbutils"
	"github.com/pocketbase/pocketbase/tools/types"

	_ "sokuji/migrations" // the tables that are copied
)

const naivePrefix = "naive_"

// naiveTables are the tables that a charge writes.
var naiveTables = []string{"wallets", "wallet_ledger", "usage_logs"}

// copyCollection makes a plain collection with the columns and the indexes of
// one of the server's. It keeps PocketBase's own id column, because records with
// another pattern are looked up without an index at each create.
func copyCollection(app core.App, name string) error {
	source, err := app.FindCollectionByNameOrId(name)
	if err != nil {
		return err
	}
	fields, err := source.Fields.Clone()
	if err != nil {
		return err
	}
	target := core.NewBaseCollection(naivePrefix + name)
	for _, field := range fields {
		if field.GetName() != core.FieldNameId {
			target.Fields.Add(field)
		}
	}
	for _, statement := range source.Indexes {
		index := dbutils.ParseIndex(statement)
		index.IndexName, index.TableName = naivePrefix+index.IndexName, target.Name
		target.Indexes = append(target.Indexes, index.Build())
	}
	return app.Save(target)
}

// fillNaive writes the rows that the real server's file begins with, with ids
// as PocketBase makes them: random.
func fillNaive(app core.App, wallets, rows int) error {
	const randomID = `substr(lower(hex(randomblob(8))), 1, 15)`
	const count = `WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < {:count}) `
	walletID := `printf('` + walletIDFormat + `', i % {:wallets})`
	for _, fill := range []struct {
		count int
		text  string
	}{
		{wallets, `INSERT INTO naive_wallets (id, subject_type, subject_id, balance_tokens, head_hash, created_at, updated_at) ` +
			count + `SELECT ` + walletID + `, 'user', ` + walletID + `, {:balance}, {:hash}, {:now}, {:now} FROM numbers`},
		{rows, `INSERT INTO naive_wallet_ledger (id, subject_type, subject_id, seq, amount_tokens, balance_after, event_type, created_at, prev_hash, hash) ` +
			count + `SELECT ` + randomID + `, 'user', ` + walletID + `, i / {:wallets} + 1, -1, {:balance}, 'use', {:now}, {:hash}, {:hash} FROM numbers`},
		{rows, `INSERT INTO naive_usage_logs (id, subject_type, subject_id, charged_tokens, ledger_id, created_at) ` +
			`SELECT ` + randomID + `, subject_type, subject_id, 1, id, created_at FROM naive_wallet_ledger`},
		{rows, `UPDATE naive_wallets SET seq = (SELECT COALESCE(MAX(seq), 0) FROM naive_wallet_ledger WHERE subject_id = naive_wallets.id)`},
	} {
		if fill.count == 0 {
			continue
		}
		parameters := dbx.Params{
			"count": fill.count, "wallets": wallets, "balance": walletTokens, "hash": naiveHash, "now": now(),
		}
		if _, err := app.NonconcurrentDB().NewQuery(fill.text).Bind(used(fill.text, parameters)).Execute(); err != nil {
			return fmt.Errorf("fill the naive file: %w", err)
		}
	}
	return nil
}

// used keeps the parameters that a statement names; SQLite refuses others.
func used(text string, parameters dbx.Params) dbx.Params {
	kept := make(dbx.Params)
	for name, value := range parameters {
		if strings.Contains(text, "{:"+name+"}") {
			kept[name] = value
		}
	}
	return kept
}

// now is the moment as PocketBase writes it down.
func now() string { return asStored(time.Now()) }

func asStored(moment time.Time) string {
	return moment.UTC().Format(types.DefaultDateLayout)
}
