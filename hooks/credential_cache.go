package hooks

import (
	"log/slog"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
)

const usersCollection = "users"

// recordKey names an auth record.
type recordKey struct{ collection, id string }

// verifiedToken is a PocketBase token whose signature was checked under signing.
type verifiedToken struct {
	record  recordKey
	signing string // the record's token key and the collection's secret, as they were
	expires time.Time
	session accounts.Key // of the session that a user's token names
}

// verifyAuthToken does what PocketBase does for every request, but checks the
// signature of a token only once: the answer stays true for as long as what it
// was signed with does. Whether a user's session is alive is the caller's question.
func (s *server) verifyAuthToken(token string) (*core.Record, accounts.Key, bool) {
	verified, cached, ticket := s.authTokens.Get(token)
	if cached {
		record, err := s.authRecord(verified.record)
		return record, verified.session, err == nil && signingKey(record) == verified.signing && time.Now().Before(verified.expires)
	}
	record, err := s.app.FindAuthRecordByToken(token, core.TokenTypeAuth)
	if err != nil {
		return nil, "", false // also PocketBase takes a bad token for none
	}
	facts, ok := readToken(token)
	name := record.Collection().Name
	if name != usersCollection && name != core.CollectionNameSuperusers {
		return record, "", ok // nobody tells us when one of those changes
	}
	if name == usersCollection && facts.sessionID == "" {
		return nil, "", false
	}
	key := accounts.NameKeyOf(facts.sessionID)
	s.authTokens.Fill(token, verifiedToken{
		record: recordKey{name, record.Id}, signing: signingKey(record), expires: facts.expires, session: key,
	}, ticket)
	return record, key, ok
}

func signingKey(record *core.Record) string {
	return record.TokenKey() + record.Collection().AuthToken.Secret
}

// authRecord returns a copy of an auth record that is as new as the last commit.
func (s *server) authRecord(key recordKey) (*core.Record, error) {
	record, cached, ticket := s.authRecords.Get(key)
	if cached && key.collection == core.CollectionNameSuperusers && !s.superuserUnchanged(record) {
		s.authRecords.Drop(key)
		_, cached, ticket = s.authRecords.Get(key)
	}
	if !cached {
		var err error
		if record, err = s.app.FindRecordById(key.collection, key.id); err != nil {
			return nil, err
		}
		s.authRecords.Fill(key, record, ticket)
	}
	return record.Fresh(), nil
}

// superuserUnchanged looks at the disk, because "superuser update" changes
// superusers from another process.
func (s *server) superuserUnchanged(record *core.Record) bool {
	tokenKey, found, err := s.superuserKeys.of(record.Id)
	if err != nil {
		s.app.Logger().Error("Could not check a superuser", slog.Any("error", err))
	}
	return err == nil && found && tokenKey == record.TokenKey()
}

// bindCaches drops what a committed change made old.
func bindCaches(app core.App, s *server) {
	for _, name := range []string{usersCollection, core.CollectionNameSuperusers} {
		forget := func(e *core.RecordEvent) error {
			s.authRecords.Drop(recordKey{name, e.Record.Id})
			s.sessions.ForgetUser(e.Record.Id)
			return e.Next()
		}
		app.OnRecordAfterUpdateSuccess(name).BindFunc(forget)
		app.OnRecordAfterDeleteSuccess(name).BindFunc(forget)
	}
	app.OnCollectionAfterUpdateSuccess().BindFunc(func(e *core.CollectionEvent) error {
		s.authRecords.Clear()
		return e.Next()
	})
	// A new secret of the users' tokens has ended all sessions on disk.
	app.OnCollectionAfterUpdateSuccess(usersCollection).BindFunc(func(e *core.CollectionEvent) error {
		s.sessions.ForgetAll()
		if err := s.silenceAllEnded(e.Context); err != nil {
			return err
		}
		return e.Next()
	})

	forgetSession := func(e *core.RecordEvent) error {
		s.sessions.Forget(e.Record.Id)
		if err := s.silenceEnded(e.Context, e.Record.GetString("user")); err != nil {
			return err
		}
		return e.Next()
	}
	app.OnRecordAfterUpdateSuccess(sessionsCollection).BindFunc(forgetSession)
	app.OnRecordAfterDeleteSuccess(sessionsCollection).BindFunc(forgetSession)

	bindKeyCache(app, s.keys)
	bindPriceCache(app, s)
	bindProviderCache(app, s)
	bindEntitlementCache(app, s)
}
