package verify_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"sokuji/hooks"
	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/sqlitestore"
	"sokuji/internal/ledger/verify"
	_ "sokuji/migrations"
)

var (
	alice = ledger.UserSubject("alice0000000001")
	bob   = ledger.UserSubject("bob000000000001")
	acme  = ledger.Subject{Type: ledger.SubjectOrganization, ID: "acme"}
	idle  = ledger.UserSubject("idle00000000001")
	// debtor was frozen by a refund, freed by a mint, and frozen by a refund again.
	debtor = ledger.UserSubject("debtor000000001")
	// freed was frozen by an admin, for another reason after a refund, and unfrozen.
	freed = ledger.UserSubject("freed0000000001")
)

// template is the data.db of sound books that the real writer wrote; empty is one
// with the schema only. Each test works on copies.
var template, emptyTemplate string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	folder, err := os.MkdirTemp("", "sokuji_books_*")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(folder)
	template, emptyTemplate = filepath.Join(folder, "books.db"), filepath.Join(folder, "empty.db")
	if err := makeTemplates(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func makeTemplates() error {
	app, err := tests.NewTestAppWithConfig(core.BaseAppConfig{DBConnect: hooks.ConnectDatabase})
	if err != nil {
		return err
	}
	defer app.Cleanup()
	writer := app.NonconcurrentDB().(*dbx.DB).DB()
	if _, err := writer.Exec("VACUUM INTO ?", emptyTemplate); err != nil {
		return err
	}
	b := &builder{db: writer, clock: ledgertest.NewClock()}
	if err := b.open(); err != nil {
		return err
	}
	b.fill()
	if err := b.close(); err != nil {
		return err
	}
	_, err = writer.Exec("VACUUM INTO ?", template)
	return err
}

// builder fills books through the real writer.
type builder struct {
	db     *sql.DB
	clock  *ledgertest.Clock
	store  *sqlitestore.Store
	ledger *ledger.Ledger
	err    error // the first
}

func (b *builder) open() (err error) {
	if b.store, err = sqlitestore.Open(b.db, b.db); err != nil {
		return err
	}
	b.ledger = ledger.Open(b.store, ledger.Options{
		Now: b.clock.Now, Random: rand.NewChaCha8([32]byte{}), SweepInterval: -1,
		OnFailure: func(err error) { b.note(err) },
	})
	return nil
}

func (b *builder) close() error {
	b.ledger.Close()
	b.note(b.store.Close())
	return b.err
}

func (b *builder) note(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *builder) wallet(subject ledger.Subject) {
	b.note(sqlitestore.CreateWallet(dbx.NewFromDB(b.db, "sqlite"), subject, b.clock.Now()))
}

func (b *builder) do(op ledger.Operation) ledger.Receipt {
	receipt, err := b.ledger.Do(context.Background(), op)
	b.note(err)
	return receipt
}

func (b *builder) use(subject ledger.Subject, amount int64, key string) ledger.Receipt {
	return b.do(ledger.Use{
		Request: ledger.Request{Subject: subject, IdempotencyKey: key}, Amount: amount, AllowNegative: true,
		Usage: ledger.Usage{Model: "m", InputTokens: amount}, Metadata: json.RawMessage(`{"n":1}`),
	})
}

func (b *builder) mint(subject ledger.Subject, amount int64, key, event string, lives time.Duration) ledger.Receipt {
	mint := ledger.Mint{
		Request: ledger.Request{Subject: subject, IdempotencyKey: key}, Amount: amount, ExternalEventID: event,
		PlanID: "pro_plan", ReferenceType: "invoice", ReferenceID: "in_1", Description: "a month", Metadata: json.RawMessage(`{"a":"b"}`),
	}
	if lives > 0 {
		mint.ExpiresAt = b.clock.Now().Add(lives)
	}
	return b.do(mint)
}

func (b *builder) hold(subject ledger.Subject, amount int64) string {
	receipt := b.do(ledger.Hold{Request: ledger.Request{Subject: subject}, Amount: amount, Duration: time.Hour, Reference: "call"})
	if receipt.Hold == nil {
		return ""
	}
	return receipt.Hold.ID
}

func (b *builder) settle(subject ledger.Subject, hold, key string, amount int64) ledger.Receipt {
	return b.do(ledger.Settle{Request: ledger.Request{Subject: subject, IdempotencyKey: key}, HoldID: hold, Amount: amount})
}

// fill uses every operation, and each of them in every wallet's own way.
func (b *builder) fill() {
	for _, subject := range []ledger.Subject{alice, bob, acme, idle, debtor, freed} {
		b.wallet(subject)
	}
	b.mint(alice, 1000, "mint-1", "event-1", 0)
	b.mint(alice, 1000, "mint-again", "event-1", 0) // a second key for one entry
	b.mint(bob, 400, "", "event-2", 30*24*time.Hour)
	b.mint(acme, 700, "mint-3", "", 2*time.Hour)
	use := b.use(alice, 30, "use-1")
	b.use(bob, 50, "use-1") // the same key in another wallet
	b.do(ledger.Refund{Request: ledger.Request{Subject: alice, IdempotencyKey: "refund-1"}, EntryID: use.Entry.ID, Amount: 10})
	b.do(ledger.Refund{Request: ledger.Request{Subject: alice}, EntryID: use.Entry.ID, Amount: 5})
	b.do(ledger.Adjust{Request: ledger.Request{Subject: acme, IdempotencyKey: "adjust-1"}, Amount: 25, Description: "kindness"})
	b.clock.Advance(20 * time.Minute)
	b.do(ledger.Adjust{Request: ledger.Request{Subject: acme}, Amount: -5, Description: "a mistake"})
	settled, released, late := b.hold(alice, 40), b.hold(bob, 20), b.hold(acme, 60)
	b.settle(alice, settled, "settle-1", 35)
	b.do(ledger.Release{Request: ledger.Request{Subject: bob, IdempotencyKey: "release-1"}, HoldID: released})
	b.settle(bob, b.hold(bob, 5), "", 0)
	b.hold(alice, 13) // left to its deadline
	b.clock.Advance(3 * time.Hour)
	b.note(b.ledger.Sweep(context.Background())) // expires a hold, and acme's grant
	b.settle(acme, late, "", 7)
	b.hold(alice, 11)
	b.hold(bob, 12)
	b.hold(acme, 0+9)
	b.mint(acme, 100, "", "", 24*time.Hour*40)
	minted := b.mint(alice, 80, "mint-5", "", 24*time.Hour*50)
	b.use(alice, 60, "")
	b.do(ledger.Refund{Request: ledger.Request{Subject: alice}, EntryID: minted.Entry.ID, Amount: 15})
	b.key(alice)
	b.batch(acme)
	b.many()
	b.freezes()
	b.do(ledger.Freeze{Request: ledger.Request{Subject: bob, IdempotencyKey: "freeze-1"}, Reason: "a dispute"})
}

// freezes goes through the ways into a freeze and out of it.
func (b *builder) freezes() {
	refund := func(subject ledger.Subject, entry string, amount int64) {
		b.do(ledger.Refund{Request: ledger.Request{Subject: subject}, EntryID: entry, Amount: amount})
	}
	first := b.mint(debtor, 100, "", "", 0).Entry.ID
	use := b.use(debtor, 100, "").Entry.ID
	refund(debtor, first, 60)
	refund(debtor, use, 20)
	b.mint(debtor, 40, "", "", 0)
	b.do(ledger.Adjust{Request: ledger.Request{Subject: debtor}, Amount: 5, Description: "kindness"})
	refund(debtor, first, 40)

	minted := b.mint(freed, 100, "", "", 0).Entry.ID
	b.use(freed, 50, "")
	b.do(ledger.Freeze{Request: ledger.Request{Subject: freed}, Reason: "a doubt"})
	refund(freed, minted, 70)
	b.mint(freed, 90, "", "", 0)
	b.do(ledger.Freeze{Request: ledger.Request{Subject: freed}, Reason: "another doubt"})
	b.do(ledger.Unfreeze{Request: ledger.Request{Subject: freed}, Reason: "none left"})
	refund(freed, minted, 30)
	b.use(freed, 100, "") // below zero without a freeze
}

// key spends by an API key: a use, a settled hold, and an open one.
func (b *builder) key(subject ledger.Subject) {
	by := ledger.Request{Subject: subject, Spender: ledger.Spender{KeyID: "key1", LimitTokens: 1000}}
	b.do(ledger.Use{Request: by, Amount: 8})
	settled := b.do(ledger.Hold{Request: by, Amount: 6, Duration: time.Hour})
	b.do(ledger.Settle{Request: by, HoldID: settled.Hold.ID, Amount: 4})
	b.do(ledger.Hold{Request: by, Amount: 3, Duration: 24 * time.Hour})
}

func (b *builder) batch(subject ledger.Subject) {
	uses := ledger.UseBatch{Request: ledger.Request{Subject: subject, IdempotencyKey: "batch-1"}}
	for i := range 3 {
		uses.Uses = append(uses.Uses, ledger.Use{Request: ledger.Request{IdempotencyKey: fmt.Sprint("item-", i)}, Amount: int64(i + 1)})
	}
	_, _, err := b.ledger.DoUses(context.Background(), uses)
	b.note(err)
}

// many goes on for some days.
func (b *builder) many() {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 120 {
		subject := []ledger.Subject{alice, bob, acme}[random.IntN(3)]
		key := ""
		if i%3 == 0 {
			key = fmt.Sprint("many-", i)
		}
		switch random.IntN(8) {
		case 0:
			b.mint(subject, 50, key, "", 0)
		case 1:
			b.settle(subject, b.hold(subject, 1), key, 2)
		default:
			b.use(subject, 1+random.Int64N(3), key)
		}
		b.clock.Advance(time.Duration(random.IntN(60)) * time.Minute)
	}
}

// books is a copy of the template that a test may do anything to.
type books struct {
	t    testing.TB
	path string
	db   *sql.DB
}

func open(t testing.TB) *books {
	t.Helper()
	return openCopy(t, template)
}

func openCopy(t testing.TB, source string) *books {
	t.Helper()
	content, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "data.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	// Nobody minds when a copy is lost.
	db, err := sql.Open("sqlite", path+"?_pragma=synchronous(OFF)&_pragma=journal_mode(MEMORY)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	b := &books{t, path, db}
	t.Cleanup(func() { _ = db.Close() })
	b.dropTriggers()
	return b
}

// dropTriggers is what somebody who tampers does first.
func (b *books) dropTriggers() {
	b.t.Helper()
	var names []string
	rows, err := b.db.Query("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
	if err != nil {
		b.t.Fatal(err)
	}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			b.t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Close(); err != nil {
		b.t.Fatal(err)
	}
	if len(names) == 0 {
		b.t.Fatal("the books have no triggers")
	}
	for _, name := range names {
		b.exec("DROP TRIGGER " + name)
	}
}

func (b *books) exec(statement string, arguments ...any) {
	b.t.Helper()
	if _, err := b.db.Exec(statement, arguments...); err != nil {
		b.t.Fatalf("%s: %v", statement, err)
	}
}

// pick is the single text that a query finds.
func (b *books) pick(query string, arguments ...any) string {
	b.t.Helper()
	var text string
	if err := b.db.QueryRow(query, arguments...).Scan(&text); err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
	return text
}

// verify closes the test's own connection first, as a file at rest has none.
func (b *books) verify(options verify.Options) verify.Report {
	b.t.Helper()
	report, err := b.tryVerify(options)
	if err != nil {
		b.t.Fatal(err)
	}
	return report
}

func (b *books) tryVerify(options verify.Options) (verify.Report, error) {
	if err := b.db.Close(); err != nil {
		return verify.Report{}, err
	}
	database, err := verify.OpenReadOnly(b.path)
	if err != nil {
		return verify.Report{}, err
	}
	defer database.Close()
	return verify.File(context.Background(), database.DB, options)
}

// names tells whether a finding is about a row. Tables without ids have keys with
// slashes in them, and a deleted row is named by what is left of it.
func names(report verify.Report, table, id string) bool {
	for _, finding := range report.Findings {
		if (table == "" || finding.Table == table) && strings.Contains(finding.RowID, id) {
			return true
		}
	}
	return false
}

func show(report verify.Report) string {
	var lines []string
	for i, finding := range report.Findings {
		if i == 8 {
			lines = append(lines, "…")
			break
		}
		lines = append(lines, finding.String())
	}
	return strings.Join(lines, "\n")
}
