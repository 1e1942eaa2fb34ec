package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// bindRoutes lists every route of ours.
func (s *server) bindRoutes(r *router.Router[*core.RequestEvent]) {
	s.bindAuthRoutes(r.Group("/api/auth"))
	s.bindUserRoutes(r.Group("/api/user"))
	s.bindWalletRoutes(r.Group("/api/wallet"))
	s.bindHealthRoutes(r.Group("/api/health"))

	// Without these, the page for "/{path...}" would answer mistyped API calls.
	r.GET("/api/{path...}", notFound)
	r.GET("/v1/{path...}", notFound)
}

func (s *server) bindAuthRoutes(auth *router.RouterGroup[*core.RequestEvent]) {
	auth.Bind(apis.BodyLimit(maxBodyBytes))
	auth.BindFunc(s.checkAuthOrigin)
	auth.POST("/sign-up/email", s.authSignUp)
	auth.POST("/sign-up", s.authSignUp) // the original's README has it
	auth.POST("/sign-in/email", s.authSignIn)
	auth.POST("/sign-out", s.authSignOut)
	auth.GET("/get-session", s.authGetSession)
	auth.GET("/session", s.authGetSession) // likewise
	auth.GET("/list-sessions", s.authListSessions)
	auth.POST("/revoke-session", s.authRevokeSession)
	auth.POST("/revoke-sessions", s.authRevokeSessions)
	auth.POST("/revoke-other-sessions", s.authRevokeOtherSessions)
	auth.GET("/ok", authOK)
	auth.GET("/{path...}", notFound)
}

func (s *server) bindUserRoutes(user *router.RouterGroup[*core.RequestEvent]) {
	quiet(user).Bind(apis.BodyLimit(maxBodyBytes))
	user.GET("/profile", s.userProfile)
	user.PATCH("/profile", s.userProfileUpdate)
	user.GET("/api-key", s.userAPIKey)
	user.POST("/api-key/rotate", s.userAPIKeyRotate)
}

func (s *server) bindWalletRoutes(wallet *router.RouterGroup[*core.RequestEvent]) {
	quiet(wallet).Bind(apis.BodyLimit(maxBodyBytes))
	wallet.GET("/balance", s.walletBalance)
	wallet.GET("/status", s.walletStatus)
	wallet.GET("/ledger", s.walletLedger)
	wallet.GET("/usage", s.walletUsage)
	wallet.GET("/usage/summary", s.walletUsageSummary)
	wallet.GET("/statement", s.walletStatement)
	wallet.POST("/mint", s.walletMint)
	wallet.POST("/use", s.walletUse)
	wallet.POST("/use/batch", s.walletUseBatch).Unbind(apis.DefaultBodyLimitMiddlewareId) // it has a bound of its own
	wallet.POST("/holds", s.walletHold)
	wallet.GET("/holds", s.walletHolds)
	wallet.POST("/holds/{id}/extend", s.walletHoldExtend)
	wallet.POST("/holds/{id}/settle", s.walletHoldSettle)
	wallet.POST("/holds/{id}/release", s.walletHoldRelease)
	wallet.POST("/refund", s.walletRefund)
	wallet.POST("/adjust", s.walletAdjust)
	wallet.POST("/freeze", s.walletFreeze)
	wallet.POST("/unfreeze", s.walletUnfreeze)
}

func (s *server) bindHealthRoutes(health *router.RouterGroup[*core.RequestEvent]) {
	quiet(health)
	health.GET("/db", s.healthDatabase)
	health.GET("/kv", s.healthSessions)
	health.GET("/ready", s.healthReady)
}

func notFound(e *core.RequestEvent) error {
	return e.NotFoundError(http.StatusText(http.StatusNotFound), nil)
}
