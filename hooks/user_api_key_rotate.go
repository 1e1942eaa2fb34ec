package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// userAPIKeyRotate gives the caller a new default key. The old one is dead when
// the answer is sent, or after graceSeconds. A frozen or empty wallet may rotate
// too: a leaked key must be stoppable.
func (s *server) userAPIKeyRotate(e *core.RequestEvent) error {
	c, err := requireUser(e)
	if err != nil {
		return err
	}
	body, err := readFields(e)
	if err != nil {
		return err
	}
	grace := body.grace()
	if body.err != nil {
		return body.err
	}
	ctx := e.Request.Context()
	wallet, err := s.ledger.Wallet(ctx, ledger.UserSubject(c.userID))
	if err != nil {
		return err
	}
	key, err := s.setDefaultKey(c.userID, 1, grace)
	if err != nil {
		return err
	}
	return writeKey(e, key, wallet)
}
