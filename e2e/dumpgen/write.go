package dumpgen

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const textTime = "2006-01-02T15:04:05.000Z"

// Write writes a dump and returns what is in it.
func Write(out io.Writer, o Options) (Facts, error) {
	w := &writer{out: bufio.NewWriterSize(out, 1<<20), o: o, facts: o.facts()}
	w.line("PRAGMA defer_foreign_keys=TRUE;")
	for _, t := range []struct {
		name   string
		create string
		rows   func()
	}{
		{"account", createAccount, w.accounts},
		{"app_user", createAppUser, w.appUsers},
		{"entitlements", createEntitlements, w.entitlements},
		{"plans", createPlans, w.plans},
		{"processed_events", createProcessedEvents, func() {}},
		{"session", createSession, w.sessions},
		{"usage_logs", createUsageLogs, w.usage},
		{"user", createUser, w.users},
		{"verification", createVerification, func() {}},
		{"wallet_ledger", createWalletLedger, w.ledger},
		{"wallets", createWallets, w.wallets},
		{"webhook_logs", createWebhookLogs, func() {}},
	} {
		if slices.Contains(o.Without, t.name) {
			continue
		}
		w.line(t.create)
		t.rows()
		for _, extra := range o.Extra[t.name] {
			w.line(extra)
		}
	}
	for _, extra := range o.Extra[""] {
		w.line(extra)
	}
	w.line("DELETE FROM sqlite_sequence;")
	w.line(`INSERT INTO "sqlite_sequence" VALUES('app_user',%d);`, o.Users)
	for _, index := range indexes {
		w.line(index)
	}
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.facts, w.err
}

// writer keeps the first error.
type writer struct {
	out   *bufio.Writer
	o     Options
	facts Facts
	err   error
}

func (w *writer) line(format string, arguments ...any) {
	if w.err != nil {
		return
	}
	if len(arguments) == 0 {
		_, w.err = w.out.WriteString(format + "\n")
		return
	}
	_, w.err = fmt.Fprintf(w.out, format+"\n", arguments...)
}

// Email is the n-th user's address.
func Email(n int) string { return fmt.Sprintf("user%d@generated.example", n) }

// Name is the n-th user's name.
func Name(n int) string {
	return []string{"Ada Lovelace", "Miles O'Brien", "山田 太郎", "Zoë", `Renée "R" Fleming`, "Радость"}[n%6]
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// joined is when the n-th user came, before all of their rows.
func (w *writer) joined(n int) time.Time {
	return w.o.Now.Add(-span - time.Duration(n%1_000)*time.Hour).UTC().Truncate(time.Second)
}

func (w *writer) accounts() {
	for n := range w.o.Users {
		id, at := UserID(w.o.Seed, n), w.joined(n).Unix()
		w.line(`INSERT INTO "account" VALUES('%s','%s','credential','%s',NULL,NULL,NULL,NULL,NULL,NULL,'%s',%d,%d);`,
			text(w.o.Seed, streamAccount, n, 32), id, id, passwordHash, at, at)
	}
}

func (w *writer) appUsers() {
	for n := range w.o.Users {
		at := w.joined(n).Format(textTime)
		w.line(`INSERT INTO "app_user" VALUES(%d,'%s',%s,NULL,'free_plan',0,0,'%s','%s');`,
			n+1, UserID(w.o.Seed, n), quote(Name(n)), at, at)
	}
}

func (w *writer) entitlements() {
	for n := range w.o.Users {
		w.line(`INSERT INTO "entitlements" VALUES('user','%s','free_plan',1,60,NULL,'%s');`, UserID(w.o.Seed, n), w.joined(n).Format(textTime))
	}
}

func (w *writer) plans() {
	for _, plan := range []string{"'free_plan',0,0", "'starter_plan',10000000,1000", "'pro_plan',50000000,5000"} {
		w.line(`INSERT INTO "plans" VALUES(%s,'2026-01-01T00:00:00.000Z','2026-01-01T00:00:00.000Z');`, plan)
	}
}

func (w *writer) sessions() {
	for n := range w.o.Users {
		at := w.joined(n).Unix()
		w.line(`INSERT INTO "session" VALUES('%s',%d,'%s',%d,%d,'203.0.113.7','Mozilla/5.0','%s');`,
			text(w.o.Seed, streamSession, n, 32), w.o.Until.Unix(), Token(w.o.Seed, n), at, at, UserID(w.o.Seed, n))
	}
}

func (w *writer) users() {
	for n := range w.o.Users {
		at := w.joined(n).Unix()
		w.line(`INSERT INTO "user" VALUES('%s',%s,'%s',%d,NULL,%d,%d);`, UserID(w.o.Seed, n), quote(Name(n)), Email(n), n%2, at, at)
	}
}

func (w *writer) usage() {
	for n := range w.o.Rows {
		e := w.o.entry(n)
		if !e.isUse {
			continue
		}
		modality, in, out := "text", "0.6", "2.4"
		if e.isAudio {
			modality, in, out = "audio", "4.8", "9.6"
		}
		w.line(`INSERT INTO "usage_logs" VALUES('%s','user','%s','openai','gpt-4o-mini-realtime-preview','/v1/realtime','WS',%d,%d,%d,%d,%d,%d,%s,%s,'%s','sess_x',NULL,'resp_%d','response.done','%s','{}','%s');`,
			hexID(w.o.Seed, streamUsage, n), UserID(w.o.Seed, e.user), e.input, e.output, e.input+e.output,
			e.adjustedIn, e.adjustedOut, e.adjustedIn+e.adjustedOut, in, out, modality, n, EntryID(w.o.Seed, n), e.at.Format(textTime))
	}
}

// EntryID is the id of the n-th row of the ledger, from 0.
func EntryID(seed uint64, n int) string { return hexID(seed, streamEntry, n) }

func (w *writer) ledger() {
	for n := range w.o.Rows {
		e := w.o.entry(n)
		if !e.isUse {
			w.line(`INSERT INTO "wallet_ledger" VALUES('%s','user','%s',%d,'mint','payment','pay_%d','starter_plan','evt_%d_%d','top up %d',NULL,'%s');`,
				EntryID(w.o.Seed, n), UserID(w.o.Seed, e.user), e.amount, n, w.o.Seed, n, n, e.at.Format(textTime))
			continue
		}
		w.line(`INSERT INTO "wallet_ledger" VALUES('%s','user','%s',%d,'use','usage','sess_%d',NULL,NULL,'openai/gpt-4o-mini-realtime-preview API usage','{"input_tokens": %d, "output_tokens": %d}','%s');`,
			EntryID(w.o.Seed, n), UserID(w.o.Seed, e.user), e.amount, n, e.input, e.output, e.at.Format(textTime))
	}
}

func (w *writer) wallets() {
	for n := range w.o.Users {
		w.line(`INSERT INTO "wallets" VALUES('user','%s',%d,0,'%s');`, UserID(w.o.Seed, n), w.facts.Balances[n], w.o.Now.Add(-time.Hour).UTC().Format(textTime))
	}
}
