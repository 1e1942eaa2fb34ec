package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
	"sokuji/internal/ledger"
)

// keyProvider is what the original's clients expect under "provider".
const keyProvider = "kizunaai"

// keyAnswer shows the default key. It never goes into a cache.
type keyAnswer struct {
	APIKey   string `json:"apiKey"`
	Balance  int64  `json:"balance"`
	Provider string `json:"provider"`
}

// userAPIKey shows the caller's default key: the same one at every call, until it
// is rotated. A wallet that cannot pay gets none.
func (s *server) userAPIKey(e *core.RequestEvent) error {
	c, err := requireUser(e)
	if err != nil {
		return err
	}
	ctx := e.Request.Context()
	wallet, err := s.ledger.Wallet(ctx, ledger.UserSubject(c.userID))
	if err != nil {
		return err
	}
	if err := mayHaveKey(wallet); err != nil {
		return err
	}
	key, err := s.defaultKeyOf(ctx, c.userID)
	if err != nil {
		return err
	}
	return writeKey(e, key, wallet)
}

func mayHaveKey(wallet ledger.Wallet) error {
	if wallet.Frozen {
		return &ledger.Error{
			Code: ledger.CodeWalletFrozen, Message: "Your wallet is frozen. Please contact support.", Wallet: &wallet,
		}
	}
	if wallet.Available() <= 0 {
		return &ledger.Error{
			Code: ledger.CodeInsufficientBalance, Message: "Please add tokens to your wallet to use the API.", Wallet: &wallet,
		}
	}
	return nil
}

func writeKey(e *core.RequestEvent, key apikeys.Key, wallet ledger.Wallet) error {
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, keyAnswer{APIKey: key.Reveal(), Balance: wallet.Balance, Provider: keyProvider})
}
