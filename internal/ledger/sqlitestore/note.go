package sqlitestore

import (
	"context"
	"fmt"

	"sokuji/internal/ledger"
)

// Note adds a row to the audit log that belongs to no operation. Its subject may
// be empty.
func (s *Store) Note(ctx context.Context, a ledger.AuditRow) error {
	_, err := s.write.insertAudit.ExecContext(context.WithoutCancel(ctx), a.ID, a.Actor, a.Action, string(a.Subject.Type), a.Subject.ID,
		a.Reason, textOrNull(a.Details), formatTime(a.CreatedAt))
	if err != nil {
		return fmt.Errorf("insert an audit row: %w", err)
	}
	return nil
}
