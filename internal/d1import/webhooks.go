package d1import

import (
	"database/sql"
	"fmt"
)

// webhooks keeps what payment providers sent.
func (i *importer) webhooks() error {
	t, report := tableNamed("webhook_logs"), i.report.Table("webhook_logs")
	return i.inBatches(t, `ORDER BY t.pos`, batchRows, func(tx *sql.Tx, _ int64, r *row) error {
		defer r.tell(report)
		id := r.text("id")
		if !recordID.MatchString(id) {
			report.skip("it has no id, or one with other characters than letters, digits, _ and -", id)
			return nil
		}
		created := r.instant("createdat", i.now)
		result, err := tx.ExecContext(i.ctx, `INSERT OR IGNORE INTO webhook_logs
			(id, event_id, event_type, user_id, raw_payload, headers, processed_at, processing_status, error_message, retry_count,
			webhook_signature, ip_address, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, r.bounded("event_id", maxTextBytes), r.bounded("event_type", maxTextBytes), r.bounded("user_id", maxTextBytes),
			r.bounded("raw_payload", maxPayloadBytes), nullable(r.json("headers")), stored(r.maybeInstant("processed_at")),
			r.bounded("processing_status", maxTextBytes), r.bounded("error_message", maxTextBytes), r.count("retry_count"),
			r.bounded("webhook_signature", maxTextBytes), r.bounded("ip_address", maxTextBytes),
			stored(created), stored(r.instantOr("updatedat", created)))
		if err != nil {
			return fmt.Errorf("insert webhook %s: %w", id, err)
		}
		written, err := result.RowsAffected()
		report.settle(written == 1)
		return err
	})
}

// events keeps the ids of events that were paid out, so that none is paid out again.
func (i *importer) events() error {
	t, report := tableNamed("processed_events"), i.report.Table("processed_events")
	return i.inBatches(t, `ORDER BY t.pos`, batchRows, func(tx *sql.Tx, _ int64, r *row) error {
		defer r.tell(report)
		id := r.text("event_id")
		if id == "" || len(id) > maxTextBytes {
			report.skip(fmt.Sprintf("it has no id, or one longer than %d bytes", maxTextBytes), id)
			return nil
		}
		result, err := tx.ExecContext(i.ctx, `INSERT OR IGNORE INTO processed_events (event_id, created_at) VALUES (?, ?)`,
			id, stored(r.instant("created_at", i.now)))
		if err != nil {
			return fmt.Errorf("insert event %s: %w", id, err)
		}
		written, err := result.RowsAffected()
		report.settle(written == 1)
		return err
	})
}
