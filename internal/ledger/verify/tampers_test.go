package verify_test

import (
	"testing"

	"sokuji/internal/ledger/verify"
)

// tamper is one way to spoil books: a row is picked, changed, and must be named.
type tamper struct {
	pick   string // finds the id that must be named
	change string // with ?1 for that id
	table  string // where the finding must be
}

// Rows to tamper with.
const (
	ofAlice  = `subject_id = 'alice0000000001'`
	lastOf   = `SELECT id FROM wallet_ledger WHERE ` + ofAlice + ` ORDER BY seq DESC LIMIT 1`
	firstOf  = `SELECT id FROM wallet_ledger WHERE ` + ofAlice + ` AND seq = 1`
	secondOf = `SELECT id FROM wallet_ledger WHERE ` + ofAlice + ` AND seq = 2`
	fifthOf  = `SELECT id FROM wallet_ledger WHERE ` + ofAlice + ` AND seq = 5`
	ofAcme   = `SELECT id FROM wallet_ledger WHERE subject_id = 'acme' AND seq = 1`
	wallet   = `SELECT 'alice0000000001'`
	noUser   = `SELECT 'idle00000000001'`
	frozen   = `SELECT 'bob000000000001'`
	forged   = `SELECT 'forged'`
	openHold = `SELECT id FROM wallet_holds WHERE state = 'open' AND ` + ofAlice
	settled  = `SELECT id FROM wallet_holds WHERE state = 'settled' AND ` + ofAlice
	released = `SELECT id FROM wallet_holds WHERE state = 'released'`
	live     = `SELECT id FROM wallet_grants WHERE state = 'live' AND ` + ofAlice
	fresh    = `SELECT id FROM wallet_grants WHERE state = 'live' AND remaining_tokens > 0`
	expired  = `SELECT id FROM wallet_grants WHERE state = 'expired'`
	aMove    = `SELECT ledger_id FROM wallet_grant_moves m WHERE tokens < 0 AND grant_id IN (` + live + `)`
	anExpiry = `SELECT id FROM wallet_ledger WHERE event_type = 'adjust' AND reference_type = 'grant'`
	aRefund  = `SELECT id FROM wallet_ledger WHERE event_type = 'refund' AND ` + ofAlice + ` AND amount_tokens > 0 ORDER BY seq DESC LIMIT 1`
	aDay     = `SELECT id FROM usage_daily WHERE ` + ofAlice
	aSlot    = `SELECT slot || '/' || subject_id FROM usage_quarters WHERE ` + ofAlice
	keyed    = `SELECT id FROM wallet_ledger WHERE idempotency_key != '' AND `
	aRequest = `SELECT subject_id || '/' || kind || '/' || idempotency_key FROM wallet_requests WHERE `
)

// Statements that several tampers share the beginning of.
const (
	setEntry   = `UPDATE wallet_ledger SET `
	setWallet  = `UPDATE wallets SET `
	setHold    = `UPDATE wallet_holds SET `
	setGrant   = `UPDATE wallet_grants SET `
	setMove    = `UPDATE wallet_grant_moves SET `
	setUsage   = `UPDATE usage_logs SET `
	setDay     = `UPDATE usage_daily SET `
	setQuarter = `UPDATE usage_quarters SET `
	setRequest = `UPDATE wallet_requests SET `

	byID      = ` WHERE id = ?1`
	byEntry   = ` WHERE ledger_id = ?1`
	byGrant   = ` WHERE grant_id = ?1`
	bySlot    = ` WHERE slot || '/' || subject_id = ?1`
	byRequest = ` WHERE subject_id || '/' || kind || '/' || idempotency_key = ?1`

	aKey     = `SELECT key_id FROM api_key_spending`
	setKey   = `UPDATE api_key_spending SET `
	byKey    = ` WHERE key_id = ?1`
	addUsage = `INSERT INTO usage_logs (id, ledger_id, subject_type, subject_id, charged_tokens, created_at) SELECT ?1, ?1, subject_type, subject_id, `
	addGrant = `INSERT INTO wallet_grants (id, subject_type, subject_id, amount_tokens, remaining_tokens, state, expires_at, created_at)
SELECT ?1, subject_type, subject_id, 30, 0, 'live', expires_at, created_at FROM wallet_grants WHERE ` + ofAlice + ` LIMIT 1`
	deleteRequest = `DELETE FROM wallet_requests WHERE entry_id = ?1`
	copyRequest   = `INSERT INTO wallet_requests SELECT subject_id, kind, 'forged', subject_type, fingerprint, entry_id, balance, held, frozen, refundable, created_at, hold, items
FROM wallet_requests WHERE ?1 != '' AND `
	addRequest     = copyRequest + `kind = 'use' AND ` + ofAlice + ` LIMIT 1`
	addMintRequest = copyRequest + `idempotency_key = 'mint-3'`
	addHold        = `INSERT INTO wallet_holds (id, subject_type, subject_id, amount_tokens, state, expires_at, created_at)
VALUES ('forged', 'user', ?1, 5, 'open', '2026-11-24 08:00:00.000Z', '2026-11-24 08:00:00.000Z')`
)

var tampers = map[string]tamper{
	// rows of the ledger
	"the last entry is deleted":    {wallet, `DELETE FROM wallet_ledger WHERE id IN (` + lastOf + `)`, "wallets"},
	"the first entry is deleted":   {secondOf, `DELETE FROM wallet_ledger WHERE id IN (` + firstOf + `)`, "wallet_ledger"},
	"an entry is deleted":          {fifthOf, `DELETE FROM wallet_ledger WHERE ` + ofAlice + ` AND seq = 4`, "wallet_ledger"},
	"all entries are deleted":      {wallet, `DELETE FROM wallet_ledger WHERE ` + ofAlice, "wallets"},
	"an entry is added at the end": {forged, forge(`seq + 1`, `hash`), "wallet_ledger"},
	"an entry is added again":      {forged, `DROP INDEX idx_wallet_ledger_subject_seq; ` + forge(`seq`, `prev_hash`), "wallet_ledger"},
	"two rows swap places":         {fifthOf, swapPlaces, "wallet_ledger"},
	"an entry moves to the end":    {fifthOf, setEntry + `rowid = 1000000` + byID, "wallet_ledger"},
	"entries without a wallet":     {ofAcme, `DELETE FROM wallets WHERE id = 'acme'`, "wallet_ledger"},
	"a wallet changes its type":    {ofAcme, setWallet + `subject_type = 'user' WHERE id = 'acme'`, "wallet_ledger"},

	// wallets
	"balance_tokens":                  {wallet, setWallet + `balance_tokens = balance_tokens + 1` + byID, "wallets"},
	"balance_tokens is no number":     {wallet, setWallet + `balance_tokens = 'x'` + byID, "wallets"},
	"held_tokens":                     {wallet, setWallet + `held_tokens = 0` + byID, "wallets"},
	"held_tokens without a hold":      {noUser, setWallet + `held_tokens = 5` + byID, "wallets"},
	"expiring_tokens":                 {wallet, setWallet + `expiring_tokens = expiring_tokens - 1` + byID, "wallets"},
	"expiring_tokens without a grant": {noUser, setWallet + `expiring_tokens = 1` + byID, "wallets"},
	"seq of a wallet":                 {wallet, setWallet + `seq = seq + 1` + byID, "wallets"},
	"head_hash":                       {wallet, setWallet + `head_hash = (SELECT prev_hash FROM wallet_ledger WHERE hash = head_hash)` + byID, "wallets"},
	"head_hash in capitals":           {wallet, setWallet + `head_hash = upper(head_hash)` + byID, "wallets"},
	"head_hash as zeros":              {noUser, setWallet + `head_hash = '` + zeros + `'` + byID, "wallets"},
	"frozen without a reason":         {wallet, setWallet + `frozen = 1` + byID, "wallets"},
	"a reason without frozen":         {frozen, setWallet + `frozen = 0` + byID, "wallets"},
	"frozen is 2":                     {frozen, setWallet + `frozen = 2` + byID, "wallets"},
	"a freeze is lifted by hand":      {frozen, setWallet + `frozen = 0, frozen_reason = ''` + byID, "wallets"},
	"a freeze gets another reason":    {frozen, setWallet + `frozen_reason = 'negative_balance'` + byID, "wallets"},
	"a wallet is frozen by hand":      {wallet, setWallet + `frozen = 1, frozen_reason = 'x'` + byID, "wallets"},
	"a debtor is let off":             {`SELECT 'debtor000000001'`, setWallet + `frozen = 0, frozen_reason = ''` + byID, "wallets"},
	"a freeze is not in the log":      {frozen, `DELETE FROM audit_log WHERE action = 'wallet.freeze' AND subject_id = ?1`, "wallets"},
	"a reason in the log":             {frozen, `UPDATE audit_log SET reason = 'x' WHERE action = 'wallet.freeze' AND subject_id = ?1`, "wallets"},
	"an act of no entry":              {`SELECT id FROM audit_log WHERE action = 'wallet.adjust'`, `UPDATE audit_log SET action = 'wallet.mint', id = 'x' || id` + byID, "audit_log"},
	"id of a wallet":                  {`SELECT 'other'`, setWallet + `id = ?1 WHERE id = 'alice0000000001'`, "wallets"},
	"updated_at":                      {wallet, setWallet + `updated_at = 'yesterday'` + byID, "wallets"},

	// holds
	"an open hold is closed by hand":   {openHold, setHold + `state = 'released'` + byID, "wallet_holds"},
	"an open hold is released neatly":  {wallet, setHold + `state = 'released', closed_at = created_at WHERE id IN (` + openHold + `)`, "wallets"},
	"amount of an open hold":           {wallet, setHold + `amount_tokens = amount_tokens + 1 WHERE id IN (` + openHold + `)`, "wallets"},
	"amount of a hold below 0":         {openHold, setHold + `amount_tokens = -1` + byID, "wallet_holds"},
	"amount of a hold is no number":    {released, setHold + `amount_tokens = 'x'` + byID, "wallet_holds"},
	"an open hold is deleted":          {wallet, `DELETE FROM wallet_holds WHERE id IN (` + openHold + `)`, "wallets"},
	"an open hold is added":            {noUser, addHold, "wallets"},
	"a settled hold loses its entry":   {settled, setHold + `ledger_id = ''` + byID, "wallet_holds"},
	"a settled hold names a mint":      {settled, setHold + `ledger_id = (` + firstOf + `)` + byID, "wallet_holds"},
	"a settled hold names another use": {settled, setHold + `ledger_id = (` + aUse + `)` + byID, "wallet_holds"},
	"a settled hold changes its owner": {settled, setHold + `subject_id = 'bob000000000001'` + byID, "wallet_holds"},
	"a settled hold is called expired": {settled, setHold + `state = 'expired', ledger_id = ''` + byID, "wallet_holds"},
	"a settled hold is deleted":        {`SELECT ledger_id FROM wallet_holds WHERE id IN (` + settled + ` LIMIT 1)`, `DELETE FROM wallet_holds` + byEntry, "wallet_ledger"},
	"a released hold names an entry":   {released, setHold + `ledger_id = 'x'` + byID, "wallet_holds"},
	"a released hold without its time": {released, setHold + `closed_at = ''` + byID, "wallet_holds"},
	"a state that does not exist":      {released, setHold + `state = 'lost'` + byID, "wallet_holds"},
	"an open hold with closed_at":      {openHold, setHold + `closed_at = created_at` + byID, "wallet_holds"},
	"a hold's deadline is no time":     {openHold, setHold + `expires_at = 'tomorrow'` + byID, "wallet_holds"},

	// grants
	"remaining_tokens":               {live, setGrant + `remaining_tokens = remaining_tokens + 1` + byID, "wallet_grants"},
	"remaining_tokens below 0":       {live, setGrant + `remaining_tokens = -1` + byID, "wallet_grants"},
	"amount of a grant":              {live, setGrant + `amount_tokens = amount_tokens + 1` + byID, "wallet_grants"},
	"expired_tokens":                 {expired, setGrant + `expired_tokens = expired_tokens - 1` + byID, "wallet_grants"},
	"more expired than was left":     {expired, setEntry + `reference_id = ?1 WHERE event_type = 'refund' AND amount_tokens > 0 AND ` + ofAlice, "wallet_grants"},
	"a grant's expiry":               {live, setGrant + `expires_at = '2036-01-01 00:00:00.000Z'` + byID, "wallet_grants"},
	"a grant's owner":                {live, setGrant + `subject_id = 'bob000000000001'` + byID, "wallet_grants"},
	"an expired grant lives again":   {expired, setGrant + `state = 'live', remaining_tokens = 5` + byID, "wallet_grants"},
	"a live grant is called expired": {fresh, setGrant + `state = 'expired'` + byID, "wallet_grants"},
	"a grant's state does not exist": {live, setGrant + `state = 'x'` + byID, "wallet_grants"},
	"a grant is deleted":             {live, `DELETE FROM wallet_grants` + byID, "wallet_grant_moves"},
	"a grant is added":               {forged, addGrant, "wallet_grants"},
	"a grant that was a use":         {aUse, addGrant, "wallet_grants"},
	"tokens of a move":               {live, setMove + `tokens = tokens - 1` + byGrant + ` AND tokens < 0`, "wallet_grants"},
	"more moved than the entry has":  {aMove, setMove + `tokens = -100000` + byEntry, "wallet_grant_moves"},
	"a move in the other direction":  {aMove, setMove + `tokens = -tokens` + byEntry, "wallet_grant_moves"},
	"a move is no number":            {aMove, setMove + `tokens = 'x'` + byEntry, "wallet_grant_moves"},
	"a move is deleted":              {live, `DELETE FROM wallet_grant_moves` + byGrant + ` AND tokens < 0`, "wallet_grants"},
	"a move of no entry":             {aMove, setMove + `ledger_id = 'x' || ledger_id` + byEntry, "wallet_grant_moves"},
	"a move of another wallet":       {ofAcme, setMove + `grant_id = (` + live + `)` + byEntry, "wallet_grant_moves"},
	"a move of no grant":             {aMove, setMove + `grant_id = 'x'` + byEntry, "wallet_grant_moves"},
	"an expiry loses its move":       {anExpiry, `DELETE FROM wallet_grant_moves` + byEntry, "wallet_ledger"},
	"an expiry's move differs":       {anExpiry, setMove + `tokens = tokens + 1` + byEntry, "wallet_grant_moves"},

	// usage and its roll-ups
	"charged_tokens":               {aUse, setUsage + `charged_tokens = charged_tokens + 1` + byID, "usage_logs"},
	"charged_tokens is no number":  {aUse, setUsage + `charged_tokens = 'x'` + byID, "usage_logs"},
	"a usage row's owner":          {aUse, setUsage + `subject_id = 'bob000000000001'` + byID, "usage_logs"},
	"a usage row's time":           {aUse, setUsage + `created_at = '2026-11-24 09:00:00.000Z'` + byID, "usage_logs"},
	"a usage row's entry":          {aUse, setUsage + `ledger_id = (` + firstOf + `)` + byID, "usage_logs"},
	"a usage row without an entry": {aUse, setUsage + `ledger_id = ''` + byID, "usage_logs"},
	"a usage row's id":             {aUse, setUsage + `id = 'x'` + byID, "usage_logs"},
	"a usage row is deleted":       {aUse, `DELETE FROM usage_logs` + byID, "usage_logs"},
	"a usage row is added":         {forged, addUsage + `1, created_at FROM usage_logs LIMIT 1`, "usage_logs"},
	"a usage row of a mint":        {firstOf, addUsage + `-amount_tokens, created_at FROM wallet_ledger` + byID, "usage_logs"},
	"tokens of a day":              {aDay, setDay + `tokens = tokens + 1` + byID, "usage_daily"},
	"uses of a day":                {aDay, setDay + `uses = uses + 1` + byID, "usage_daily"},
	"uses of a day are no number":  {aDay, setDay + `uses = 'x'` + byID, "usage_daily"},
	"a day's wallet":               {aDay, setDay + `subject_id = 'idle00000000001'` + byID, "usage_daily"},
	"a day's day":                  {aDay, setDay + `day = '2020-01-01'` + byID, "usage_daily"},
	"a day is deleted":             {aDay, `DELETE FROM usage_daily` + byID, "usage_daily"},
	"a day is added":               {forged, `INSERT INTO usage_daily (id, subject_type, subject_id, day, uses, tokens) VALUES (?1, 'user', 'idle00000000001', '2026-11-24', 1, 0)`, "usage_daily"},
	"an empty day is added":        {forged, `INSERT INTO usage_daily (id, subject_type, subject_id, day) VALUES (?1, 'user', 'idle00000000001', '2026-11-24')`, "usage_daily"},
	"tokens move between days":     {aDay, setDay + `tokens = CASE id WHEN ?1 THEN tokens + 1 ELSE tokens - 1 END WHERE id = ?1 OR id = (SELECT MAX(id) FROM usage_daily)`, "usage_daily"},
	"tokens of a quarter":          {aSlot, setQuarter + `tokens = tokens + 1` + bySlot, "usage_quarters"},
	"uses of a quarter":            {aSlot, setQuarter + `uses = uses + 1` + bySlot, "usage_quarters"},
	"a quarter is deleted":         {aSlot, `DELETE FROM usage_quarters` + bySlot, "usage_quarters"},
	"a quarter's slot":             {aSlot, setQuarter + `slot = slot - 1000` + bySlot, "usage_quarters"},
	"a quarter is added":           {`SELECT '5/idle00000000001'`, `INSERT INTO usage_quarters VALUES (5, 'idle00000000001', 'user', 1, 1, 0, 0)`, "usage_quarters"},

	// what keys spent
	"tokens of a key":               {aKey, setKey + `tokens = tokens + 1` + byKey, "api_key_spending"},
	"fewer tokens of a key":         {aKey, setKey + `tokens = tokens - 1` + byKey, "api_key_spending"},
	"tokens of a key are no number": {aKey, setKey + `tokens = 'x'` + byKey, "api_key_spending"},
	"held_tokens of a key":          {aKey, setKey + `held_tokens = held_tokens + 1` + byKey, "api_key_spending"},
	"fewer day_tokens of a key":     {aKey, setKey + `day_tokens = day_tokens - 1` + byKey, "api_key_spending"},
	"more on a day than in a month": {aKey, setKey + `day_tokens = month_tokens + 1` + byKey, "api_key_spending"},
	"fewer month_tokens of a key":   {aKey, setKey + `day_tokens = 0, day = '2000-01-01', month_tokens = month_tokens - 1` + byKey, "api_key_spending"},
	"more in a month than ever":     {aKey, setKey + `month_tokens = tokens + 1` + byKey, "api_key_spending"},
	"what a key spent is deleted":   {aKey, `DELETE FROM api_key_spending` + byKey, "api_key_spending"},
	"a use is another key's":        {aKey, setUsage + `api_key = 'key2' WHERE api_key = ?1`, "api_key_spending"},
	"an open hold is no key's":      {aKey, setHold + `api_key = '' WHERE api_key = ?1 AND state = 'open'`, "api_key_spending"},

	// requests
	"a use's request names no entry":      {aRequest + `kind = 'use'`, setRequest + `entry_id = 'x'` + byRequest, "wallet_requests"},
	"a mint's request names no entry":     {aRequest + `kind = 'mint'`, setRequest + `entry_id = 'x'` + byRequest, "wallet_requests"},
	"a settle's request names no entry":   {aRequest + `kind = 'settle'`, setRequest + `entry_id = 'x'` + byRequest, "wallet_requests"},
	"a use's request names another's":     {aRequest + `kind = 'use' AND subject_id = 'bob000000000001'`, setRequest + `entry_id = (` + aUse + `)` + byRequest, "wallet_requests"},
	"a use's request loses its entry":     {aRequest + `kind = 'use'`, setRequest + `entry_id = ''` + byRequest, "wallet_requests"},
	"an adjust's request loses its entry": {aRequest + `kind = 'adjust'`, setRequest + `entry_id = ''` + byRequest, "wallet_requests"},
	"a request changes its wallet's type": {aRequest + `kind = 'use'`, setRequest + `subject_type = 'other'` + byRequest, "wallet_requests"},
	"a mint's request is deleted":         {firstOf, deleteRequest, "wallet_ledger"},
	"a use's request is deleted":          {keyed + `event_type = 'use' AND reference_type = ''`, deleteRequest, "wallet_ledger"},
	"a settle's request is deleted":       {keyed + `event_type = 'use' AND reference_type = 'hold'`, deleteRequest, "wallet_ledger"},
	"a refund's request is deleted":       {keyed + `event_type = 'refund'`, deleteRequest, "wallet_ledger"},
	"an adjust's request is deleted":      {keyed + `event_type = 'adjust'`, deleteRequest, "wallet_ledger"},
	"all requests are deleted":            {firstOf, `DELETE FROM wallet_requests WHERE ?1 != ''`, "wallet_ledger"},
	"the fingerprint of a use's request":  {aRequest + `kind = 'use'`, setRequest + `fingerprint = '` + zeros + `'` + byRequest, "wallet_requests"},
	"the fingerprint of a mint's request": {aRequest + `idempotency_key = 'mint-1'`, setRequest + `fingerprint = '` + zeros + `'` + byRequest, "wallet_requests"},
	"the fingerprint of a refund's":       {aRequest + `kind = 'refund'`, setRequest + `fingerprint = '` + zeros + `'` + byRequest, "wallet_requests"},
	"the key of a use's request":          {keyed + `event_type = 'use' AND reference_type = ''`, setRequest + `idempotency_key = 'renamed' WHERE entry_id = ?1`, "wallet_ledger"},
	"the key of a mint's request":         {keyed + `external_event_id = '' AND event_type = 'mint'`, setRequest + `idempotency_key = 'renamed' WHERE entry_id = ?1`, "wallet_ledger"},
	"the key of a mint with an event":     {firstOf, setRequest + `idempotency_key = 'renamed' WHERE idempotency_key = 'mint-1'  AND ?1 != ''`, "wallet_ledger"},
	"the kind of a use's request":         {keyed + `event_type = 'use' AND reference_type = ''`, setRequest + `kind = 'settle' WHERE entry_id = ?1`, "wallet_ledger"},
	"a kind that does not exist":          {keyed + `event_type = 'adjust'`, setRequest + `kind = 'other' WHERE entry_id = ?1`, "wallet_ledger"},
	"a request is added":                  {`SELECT 'alice0000000001/use/forged'`, addRequest, "wallet_requests"},
	"a mint's request is added":           {`SELECT 'acme/mint/forged'`, addMintRequest, "wallet_requests"},
	"a release's request names an entry":  {aRequest + `kind = 'release'`, setRequest + `entry_id = (` + firstOf + `)` + byRequest, "wallet_requests"},
	"a request's entry is no text":        {aRequest + `kind = 'use'`, setRequest + `entry_id = CAST('x' AS BLOB)` + byRequest, "wallet_requests"},
}

// forge adds a copy of alice's newest entry. Its hash is that of another row, as
// SQL alone cannot make one.
func forge(seq, prevHash string) string {
	return `INSERT INTO wallet_ledger (id, subject_type, subject_id, seq, amount_tokens, balance_after, event_type, metadata, created_at, prev_hash, hash)
SELECT 'forged', subject_type, subject_id, ` + seq + `, 5, balance_after + 5, 'adjust', NULL, created_at, ` + prevHash + `, hash
FROM wallet_ledger WHERE id IN (` + lastOf + `)`
}

// swapPlaces lets alice's fourth and fifth entry change their places in the file.
const swapPlaces = `CREATE TEMP TABLE swapped AS SELECT id, rowid AS place FROM wallet_ledger WHERE ` + ofAlice + ` AND seq IN (4, 5);
UPDATE wallet_ledger SET rowid = rowid + 1000000 WHERE id IN (SELECT id FROM swapped);
UPDATE wallet_ledger SET rowid = (SELECT place FROM swapped s WHERE s.id != wallet_ledger.id) WHERE id IN (SELECT id FROM swapped) AND ?1 != ''`

func TestEveryTamperIsNamed(t *testing.T) {
	for name, test := range tampers {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			id := b.pick(test.pick)
			b.exec(test.change, id)
			if report := b.verify(verify.Options{}); !names(report, test.table, id) {
				t.Errorf("no finding about %s %s:\n%s", test.table, id, show(report))
			}
		})
	}
}

func TestRefundsAreHeldAgainstTheirOriginals(t *testing.T) {
	const itsHashAndTheRefund = 2
	for name, change := range map[string]string{
		"of nothing":         `reference_id = 'x'`,
		"of a refund":        `reference_id = id`,
		"of another wallet":  `reference_id = (SELECT id FROM wallet_ledger WHERE subject_id = 'bob000000000001' AND event_type = 'use' LIMIT 1)`,
		"of a mint, upwards": `reference_id = (` + firstOf + `)`,
		"of something else":  `reference_type = 'invoice'`,
		"of too much":        `amount_tokens = 21`,
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			id := b.pick(aRefund)
			b.exec(setEntry+change+` WHERE id = ?`, id)
			report := b.verify(verify.Options{})
			count := 0
			for _, finding := range report.Findings {
				if finding.RowID == id {
					count++
				}
			}
			if count != itsHashAndTheRefund {
				t.Errorf("%d findings about %s:\n%s", count, id, show(report))
			}
		})
	}
}
