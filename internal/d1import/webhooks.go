package d1import

import (
	"database/sql"
	"fmt"

	"sokuji/internal/accounts"
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
		event, kind := r.bounded("event_id", maxTextBytes), r.bounded("event_type", maxTextBytes)
		carried, err := i.carried(tx, r)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(i.ctx, `INSERT OR IGNORE INTO webhook_logs
			(id, event_id, event_type, user_id, raw_payload, headers, processed_at, processing_status, error_message, retry_count,
			webhook_signature, ip_address, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, event, kind, carried.user, carried.payload, nullable(carried.headers), stored(r.maybeInstant("processed_at")),
			r.bounded("processing_status", maxTextBytes), carried.failure, r.count("retry_count"),
			carried.signature, carried.address,
			stored(created), stored(r.instantOr("updatedat", created)))
		if err != nil {
			return fmt.Errorf("insert webhook %s: %w", id, err)
		}
		written, err := result.RowsAffected()
		if err != nil || written == 1 {
			report.settle(true)
			return err
		}
		// What it carried may have gone with its user.
		isSame, err := exists(i.ctx, tx, `SELECT 1 FROM webhook_logs WHERE id = ? AND event_id = ? AND event_type = ? AND raw_payload IN (?, '')`,
			id, event, kind, carried.payload)
		if isSame {
			report.AlreadyThere++
		} else if err == nil {
			report.skip(reasonTakenID, id)
		}
		return err
	})
}

// webhookContent is what a webhook says of a person.
type webhookContent struct {
	user, payload, failure, signature, address string
	headers                                    []byte
}

// carried is empty for one who was deleted here: their deletion has emptied those
// that were here.
func (i *importer) carried(tx *sql.Tx, r *row) (webhookContent, error) {
	user := r.bounded("user_id", maxTextBytes)
	if user != "" {
		isHere, err := exists(i.ctx, tx, `SELECT 1 FROM users WHERE id = ?`, user)
		if err != nil {
			return webhookContent{}, err
		}
		wasDeleted := false
		if !isHere {
			wasDeleted, err = accounts.WasDeleted(i.ctx, tx, user)
		}
		if err != nil {
			return webhookContent{}, err
		}
		if wasDeleted {
			r.note("its user was deleted here: what it carried was left out")
			return webhookContent{}, nil
		}
	}
	return webhookContent{
		user: user, payload: r.bounded("raw_payload", maxPayloadBytes), headers: r.json("headers"), failure: r.bounded("error_message", maxTextBytes),
		signature: r.bounded("webhook_signature", maxTextBytes), address: r.bounded("ip_address", maxTextBytes),
	}, nil
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
