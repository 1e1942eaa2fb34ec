package hooks

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
	"sokuji/internal/betterauth"
	"sokuji/internal/config"
	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/ledger/sqlitestore"
	"sokuji/internal/limits"
	"sokuji/internal/pricing"
	"sokuji/internal/readcache"
	"sokuji/internal/vault"
)

// Bounds of the credential caches, in entries. A record takes 1.3 KB.
const (
	maxCachedAuthTokens   = 20_000
	maxCachedAuthRecords  = 20_000
	maxCachedEntitlements = 32_000 // those of one plan share what they say
)

// server holds the services that the routes call.
type server struct {
	app     core.App
	config  config.Config
	secrets [][]byte // the secret that signs comes first, then one that only verifies
	origins betterauth.Origins
	public  string // the origin of PUBLIC_URL, empty when it is not set

	store    *sqlitestore.Store
	ledger   *ledger.Ledger
	books    *books
	sessions *accounts.Sessions
	codes    *emailCodes
	routes   http.Handler // all of them, for a request that one route makes to another
	keys     *keyCache
	prices   atomic.Pointer[pricing.Book]
	// pricesMutex is held while the book is read again.
	pricesMutex sync.Mutex
	wallets     *walletNotifier

	vault     *vault.Vault
	providers atomic.Pointer[[]gateway.Provider]
	// providersMutex is held while the providers are read again.
	providersMutex sync.Mutex
	gateway        *gatewayService

	reader *sql.DB

	superuserKeys *superuserKeys

	authRecords  *readcache.Cache[recordKey, *core.Record]
	authTokens   *readcache.Cache[string, verifiedToken]
	entitlements *readcache.Cache[ledger.Subject, unique.Handle[entitlement]]
	roles        *readcache.Cache[seat, role]

	nobodysPassword nobodysPassword
	userExports     chan struct{} // holds one for each that runs

	signInLimit    *limits.Window
	superuserLimit *limits.Window
	userLimit      *limits.Window
	// unknownKeyLimit slows down those who try keys out.
	unknownKeyLimit *limits.Window
	callLimits      *callLimits
	mail            *accountMail

	draining  atomic.Bool
	closeOnce sync.Once // a restart and the end after it both close
}

// Windows of the throttles that api.md names.
const (
	signInWindow         = 10 * time.Second
	superuserSignInLimit = 10
	userWindow           = time.Minute
	unknownKeyWindow     = time.Minute
)

func newServer(app core.App, settings config.Config) (*server, error) {
	s := &server{
		app:          app,
		config:       settings,
		keys:         newKeyCache(app),
		authRecords:  readcache.New[recordKey, *core.Record](maxCachedAuthRecords),
		authTokens:   readcache.New[string, verifiedToken](maxCachedAuthTokens),
		entitlements: readcache.New[ledger.Subject, unique.Handle[entitlement]](maxCachedEntitlements),
		roles:        readcache.New[seat, role](maxCachedRoles),
		userExports:  make(chan struct{}, maxUserExports),
	}
	var errs [6]error
	s.signInLimit, errs[0] = limits.NewWindow(limits.Config{Max: settings.AuthRateLimit, Period: signInWindow})
	s.superuserLimit, errs[1] = limits.NewWindow(limits.Config{Max: fixedLimit(settings, superuserSignInLimit), Period: signInWindow})
	s.userLimit, errs[2] = limits.NewWindow(limits.Config{Max: settings.APIRateLimit, Period: userWindow})
	s.mail, errs[3] = newAccountMail(settings)
	s.unknownKeyLimit, errs[4] = limits.NewWindow(limits.Config{Max: fixedLimit(settings, unknownKeysPerMinute), Period: unknownKeyWindow})
	s.callLimits, errs[5] = newCallLimits(time.Now)
	return s, errors.Join(errs[:]...)
}

// fixedLimit is off where the operator turned throttling off.
func fixedLimit(settings config.Config, limit int) int {
	if settings.AuthRateLimit == 0 {
		return 0
	}
	return limit
}

// open starts the services on PocketBase's own connections.
func (s *server) open() error {
	var err error
	if err = s.openSecrets(); err != nil {
		return err
	}
	writer, err := sqlPool(s.app.NonconcurrentDB())
	if err != nil {
		return err
	}
	if err = warmWriter(writer); err != nil {
		return err
	}
	if s.reader, err = sqlPool(s.app.ConcurrentDB()); err != nil {
		return err
	}
	if s.store, err = sqlitestore.Open(writer, s.reader); err != nil {
		return fmt.Errorf("open the ledger: %w", err)
	}
	if s.superuserKeys, err = newSuperuserKeys(s.reader, newSuperuserMark(s.app), time.Now); err != nil {
		return err
	}
	s.books = &books{reader: s.reader, mark: s.store, note: s.store.Note, logger: s.app.Logger(), now: time.Now}
	s.wallets = newWalletNotifier(s.app)
	s.sessions = accounts.NewSessions(writer, s.reader, time.Now)
	if s.codes, err = newEmailCodes(s.config, writer, s.secrets[0]); err != nil {
		return err
	}
	s.ledger = ledger.Open(s.store, ledger.Options{
		Now:      time.Now,
		Random:   rand.Reader,
		OnCommit: s.wallets.changed,
		OnFailure: func(err error) {
			s.app.Logger().Error("The ledger could not store a batch", slog.Any("error", err))
		},
	})
	s.keys.uses.writer, s.keys.uses.failed = writer, func(err error) {
		s.app.Logger().Warn("The last uses of some API keys are lost", slog.Any("error", err))
	}
	if err := s.keys.load(); err != nil {
		return err
	}
	if err := s.loadPrices(); err != nil {
		return err
	}
	return s.openGateway()
}

// close finishes what the ledger still has to do. PocketBase closes its
// connections after it.
func (s *server) close() (err error) {
	s.closeOnce.Do(func() {
		s.mail.drain(mailDrainTime)
		s.ledger.Close()
		s.wallets.close()
		err = errors.Join(s.sessions.Close(), s.keys.uses.close(), s.superuserKeys.close(), s.store.Close())
	})
	return err
}

func (s *server) openSecrets() error {
	if !s.config.Secret.IsSet() {
		generated, err := config.LoadOrCreateSecret(s.app.DataDir(), true)
		if err != nil {
			return err
		}
		s.config = s.config.WithGeneratedSecret(generated)
	}
	s.secrets = [][]byte{s.config.Secret.Bytes()}
	if s.config.OldSecret.IsSet() {
		s.secrets = append(s.secrets, s.config.OldSecret.Bytes())
	}
	s.secrets = append(s.secrets, betterauth.DefaultSecrets()...)
	trusted := s.config.TrustedOrigins
	if s.config.PublicURL != "" {
		s.public = originOf(s.config.PublicURL)
		trusted = append(trusted[:len(trusted):len(trusted)], s.public)
	}
	var err error
	s.origins, err = betterauth.NewOrigins(trusted)
	return err
}

// originOf cuts an absolute address down to scheme://host[:port].
func originOf(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// sqlPool reaches the database/sql pool below PocketBase's query builder.
func sqlPool(builder dbx.Builder) (*sql.DB, error) {
	db, ok := builder.(*dbx.DB)
	if !ok {
		return nil, errors.New("PocketBase's database is not a plain connection pool")
	}
	return db.DB(), nil
}
