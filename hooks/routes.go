package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"sokuji/internal/metering"
)

// bindRoutes lists every route of ours.
func (s *server) bindRoutes(r *router.Router[*core.RequestEvent]) {
	s.bindAuthRoutes(r.Group("/api/auth"))
	s.bindUserRoutes(r.Group("/api/user"))
	s.bindWalletRoutes(r.Group("/api/wallet"))
	s.bindHealthRoutes(r.Group("/api/health"))
	s.bindGatewayRoutes(r.Group("/v1"))
	r.GET("/api/ott/verify", s.ottVerify)
	r.POST("/api/auth/callback/{provider}", authSocialPosted) // comes from the provider, so without the origin check

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
	auth.POST("/sign-in/email-otp", s.authSignInOTP)
	auth.POST("/email-otp/send-verification-otp", s.authSendOTP)
	auth.POST("/email-otp/check-verification-otp", s.authCheckOTP)
	auth.POST("/email-otp/verify-email", s.authVerifyEmailOTP)
	auth.POST("/email-otp/request-password-reset", s.authSendResetOTP)
	auth.POST("/forget-password/email-otp", s.authSendResetOTP) // its older name
	auth.POST("/email-otp/reset-password", s.authResetPasswordOTP)
	auth.GET("/one-time-token/generate", s.authOneTimeToken)
	auth.POST("/one-time-token/verify", s.authVerifyOneTimeToken)
	auth.POST("/sign-in/social", s.authSignInSocial)
	auth.GET("/callback/{provider}", s.authSocialCallback)
	auth.GET("/error", authErrorPage)
	auth.POST("/update-user", s.authUpdateUser)
	auth.POST("/change-password", s.authChangePassword)
	auth.POST("/change-email", s.authChangeEmail)
	auth.POST("/delete-user", s.authDeleteUser)
	auth.GET("/list-accounts", s.authListAccounts)
	auth.POST("/request-password-reset", s.authRequestPasswordReset)
	auth.POST("/forget-password", s.authRequestPasswordReset) // its name before 1.4
	auth.GET("/reset-password/{token}", s.authResetPasswordPage)
	auth.POST("/reset-password", s.authResetPassword)
	auth.POST("/send-verification-email", s.authSendVerification)
	auth.GET("/verify-email", s.authVerifyEmail)
	auth.GET("/ok", authOK)
	auth.GET("/{path...}", notFound)
}

func (s *server) bindUserRoutes(user *router.RouterGroup[*core.RequestEvent]) {
	quiet(user).Bind(apis.BodyLimit(maxBodyBytes))
	user.GET("/profile", s.userProfile)
	user.PATCH("/profile", s.userProfileUpdate)
	user.GET("/api-key", s.userAPIKey)
	user.POST("/api-key/rotate", s.userAPIKeyRotate)
	user.GET("/api-keys", s.userAPIKeys)
	user.POST("/api-keys", s.userAPIKeyCreate)
	user.PATCH("/api-keys/{id}", s.userAPIKeyChange)
	user.DELETE("/api-keys/{id}", s.userAPIKeyDelete)
	user.POST("/api-keys/{id}/rotate", s.userAPIKeyRotateNamed)
	user.GET("/export", s.userExport)
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

// bindGatewayRoutes lists what reaches a provider. None of these routes keeps
// PocketBase's bound on bodies: each has its own.
func (s *server) bindGatewayRoutes(v1 *router.RouterGroup[*core.RequestEvent]) {
	quiet(v1).Unbind(apis.DefaultBodyLimitMiddlewareId)
	v1.GET("/models", s.gatewayModelList)
	v1.GET("/models/{model...}", s.gatewayModelOne)
	v1.POST("/chat/completions", s.gatewayCall(metering.ChatCompletions))
	v1.POST("/responses", s.gatewayCall(metering.Responses))
	v1.POST("/embeddings", s.gatewayCall(metering.Embeddings))
	v1.POST("/audio/transcriptions", s.gatewayCall(metering.Transcriptions))
	v1.POST("/audio/speech", s.gatewayCall(metering.Speech))
	v1.POST("/images/generations", s.gatewayCall(metering.Images))
	v1.POST("/messages", s.gatewayCall(metering.Messages))
	v1.GET("/realtime", s.gatewayRealtime(metering.Realtime))
	v1.GET("/realtime/translations", s.gatewayRealtime(translations))
}

func notFound(e *core.RequestEvent) error {
	return e.NotFoundError(http.StatusText(http.StatusNotFound), nil)
}
