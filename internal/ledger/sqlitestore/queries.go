package sqlitestore

const walletColumns = `subject_type, subject_id, balance_tokens, held_tokens, expiring_tokens, frozen, frozen_reason, seq, head_hash, updated_at`

const selectWallet = `SELECT ` + walletColumns + ` FROM wallets WHERE id = ? AND subject_type = ?`

const insertWallet = `INSERT INTO wallets (id, subject_type, subject_id, created_at, updated_at)
VALUES ({:id}, {:subject_type}, {:id}, {:now}, {:now})`

// updateWallet names the seq it expects, so that a wallet which somebody else
// moved in the meantime can never be overwritten.
const updateWallet = `UPDATE wallets
SET balance_tokens = ?, held_tokens = ?, expiring_tokens = ?, frozen = ?, frozen_reason = ?, seq = ?, head_hash = ?, updated_at = ?
WHERE id = ? AND seq = ?`

const entryColumns = `id, subject_type, subject_id, seq, amount_tokens, balance_after, event_type,
reference_type, reference_id, plan_id, external_event_id, idempotency_key, request_hash,
description, metadata, created_at, prev_hash, hash`

const selectEntry = `SELECT ` + entryColumns + ` FROM wallet_ledger WHERE id = ?`

// The second condition lets SQLite use the partial index.
const selectExternalEvent = `SELECT ` + entryColumns + ` FROM wallet_ledger
WHERE external_event_id = ? AND external_event_id != ''`

const sumRefunds = `SELECT COALESCE(SUM(ABS(amount_tokens)), 0) FROM wallet_ledger
WHERE reference_id = ? AND event_type = 'refund' AND reference_type = 'ledger'`

const insertEntry = `INSERT INTO wallet_ledger (` + entryColumns + `)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const selectRequest = `SELECT fingerprint, entry_id, balance, held, frozen, refundable, hold, items, created_at
FROM wallet_requests WHERE subject_id = ? AND kind = ? AND idempotency_key = ?`

const insertRequest = `INSERT INTO wallet_requests
(subject_id, kind, idempotency_key, subject_type, fingerprint, entry_id, balance, held, frozen, refundable, hold, items, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const usageColumns = `id, subject_type, subject_id, provider, model, modality, endpoint, method,
session_id, request_id, response_id, event_type,
input_tokens, output_tokens, total_tokens, duration_ms,
adjusted_input_tokens, adjusted_output_tokens, adjusted_total_tokens, input_ratio, output_ratio,
charged_tokens, price_id, rates, ledger_id, metadata, created_at,
api_key, counts, first_byte_ms, duration_call_ms, status, settled_by`

const selectUsage = `SELECT ` + usageColumns + ` FROM usage_logs WHERE id = ?`

const insertUsage = `INSERT INTO usage_logs (` + usageColumns + `)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// insertPlainUsage is for a use by amount alone: binding the other columns'
// defaults would take a good part of the time of the whole charge.
const insertPlainUsage = `INSERT INTO usage_logs (id, subject_type, subject_id, charged_tokens, ledger_id, created_at)
VALUES (?, ?, ?, ?, ?, ?)`

const addDaily = `INSERT INTO usage_daily (id, subject_type, subject_id, day, uses, tokens, input_tokens, output_tokens)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (subject_id, day) DO UPDATE SET
uses = uses + excluded.uses, tokens = tokens + excluded.tokens,
input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens`

const addQuarter = `INSERT INTO usage_quarters (slot, subject_id, subject_type, uses, tokens, input_tokens, output_tokens)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (slot, subject_id) DO UPDATE SET
uses = uses + excluded.uses, tokens = tokens + excluded.tokens,
input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens`

const insertAudit = `INSERT INTO audit_log (id, actor, action, subject_type, subject_id, reason, details, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

const moveEntitlement = `INSERT INTO entitlements
(id, subject_type, subject_id, plan_id, max_concurrent_sessions, rate_limit_rpm, rate_limit_tpm, allowed_models, features, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (subject_id, subject_type) DO UPDATE SET
plan_id = excluded.plan_id, max_concurrent_sessions = excluded.max_concurrent_sessions,
rate_limit_rpm = excluded.rate_limit_rpm, rate_limit_tpm = excluded.rate_limit_tpm,
allowed_models = excluded.allowed_models, features = excluded.features, updated_at = excluded.updated_at`
