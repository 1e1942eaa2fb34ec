package hooks

import (
	"fmt"
	"io/fs"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/config"
)

// Register binds everything that makes PocketBase this product. The services
// behind the routes start when the app begins to serve, because the schema is
// not there before.
func Register(app core.App, settings config.Config, public fs.FS) error {
	s, err := newServer(app, settings)
	if err != nil {
		return err
	}
	return s.bind(public)
}

func (s *server) bind(public fs.FS) error {
	embedded, err := fs.Sub(public, "pb_public")
	if err != nil {
		return err
	}
	app, settings := s.app, s.config

	bindUserPasswords(app, s) // hashes before the next one opens the write transaction
	bindUserProvisioning(app)
	bindUserClaims(app)
	bindOrganizations(app)
	bindMemberships(app)
	bindMoneyGuards(app)
	bindNumberColumns(app) // before the forms, which read what is a number by then
	bindKeyForm(app)
	bindHiddenColumns(app)
	bindProviderForm(app, s)
	bindPriceForm(app)
	bindEntitlementPlans(app)
	bindPlanLimits(app)
	bindEntitlementForm(app)
	bindDatabaseUpkeep(app)
	bindBackups(app)
	bindCodeMails(app)
	bindMails(app)

	app.OnServe().BindFunc(func(se *core.ServeEvent) error {
		if err := s.open(); err != nil {
			return err
		}
		bindShutdown(se, s)
		bindCaches(app, s)
		bindRoleCache(app, s)
		bindRealtimeSessions(app, s)
		bindPocketBaseSessions(app, s)
		bindAccountThrottle(app, s)
		bindSessionCleanup(app, s)
		bindCodeCleanup(app, s)
		bindSocial(app)
		bindBooks(app, s)
		bindUsageRetention(app, s)
		bindCollector(app)
		bindWalletClosings(app, s)

		s.bindMiddlewares(se.Router)
		s.bindRoutes(se.Router)
		bindPublicFiles(se.Router, publicFiles{embedded: embedded, dir: settings.PublicDir})

		if err := applySettings(app, settings); err != nil {
			return err
		}
		if err := createFirstSuperuser(app, settings); err != nil {
			return err
		}
		se.InstallerFunc = nil // it would print a link with a token
		printSummary(s.config)
		warnWithoutMail(app)
		if err := se.Next(); err != nil {
			return err
		}
		se.Server.Handler = separateRequest(se.Server.Handler)
		s.routes = se.Server.Handler
		return nil
	})
	return nil
}

// printSummary shows an operator what the server runs with, without secrets.
func printSummary(settings config.Config) {
	for _, line := range settings.Summary() {
		fmt.Println(line)
	}
}
