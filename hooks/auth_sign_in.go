package hooks

import (
	"log/slog"
	"net/http"
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
	"golang.org/x/crypto/bcrypt"

	"sokuji/internal/accounts/password"
	"sokuji/internal/betterauth"
)

// authSignIn checks e-mail and password. A wrong password and an unknown user
// look the same and take as long.
func (s *server) authSignIn(e *core.RequestEvent) error {
	if err := throttle(s.signInLimit, "sign-in", clientAddress(e)); err != nil {
		return err
	}
	if err := betterauth.CheckFirstLogin(e.Request); err != nil {
		return err
	}
	form, err := s.signInForm(e)
	if err != nil {
		return err
	}
	record, err := s.findByPassword(form)
	if err != nil {
		return err
	}
	if err := maySignIn(e, record); err != nil {
		return err
	}
	token, err := s.startSession(e, record, form.RememberMe)
	if err != nil {
		return err
	}
	s.upgradePassword(record, form.Password)
	answer := betterauth.NewSignInAnswer(token, authUser(record), form.CallbackURL)
	if answer.Redirect {
		e.Response.Header().Set("Location", *answer.URL)
	}
	return writeAuthJSON(e, http.StatusOK, answer)
}

func (s *server) findByPassword(form betterauth.SignIn) (*core.Record, error) {
	users, err := s.app.FindCachedCollectionByNameOrId(usersCollection)
	if err != nil {
		return nil, err
	}
	if err := mayUsePasswords(users); err != nil {
		return nil, err
	}
	record, err := s.app.FindAuthRecordByEmail(usersCollection, form.Email)
	if err != nil {
		s.spendPasswordTime(users, form.Password)
		return nil, betterauth.ErrInvalidEmailOrPassword
	}
	matches, err := checkPassword(s.app, record, form.Password)
	if err != nil {
		return nil, err
	}
	if !matches {
		return nil, betterauth.ErrInvalidEmailOrPassword
	}
	return record, nil
}

// spendPasswordTime compares a password with nobody's, so that the time of an
// answer does not tell whether an address has an account.
func (s *server) spendPasswordTime(users *core.Collection, plain string) {
	hash, err := s.nobodysPassword.of(users)
	if err != nil {
		s.app.Logger().Error("Could not hash a password", slog.Any("error", err))
		return
	}
	nobody := core.NewRecord(users)
	nobody.SetRaw(core.FieldNamePassword, &core.PasswordFieldValue{Hash: hash})
	nobody.ValidatePassword(password.Normalize(plain))
}

// nobodysPassword is a hash that costs as much to compare as a user's.
type nobodysPassword struct {
	mu   sync.Mutex
	cost int
	hash string
}

func (n *nobodysPassword) of(users *core.Collection) (string, error) {
	cost := passwordCost(users)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cost == cost {
		return n.hash, nil
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(security.RandomString(30)), cost)
	if err != nil {
		return "", err
	}
	n.cost, n.hash = cost, string(hash)
	return n.hash, nil
}

func (s *server) signInForm(e *core.RequestEvent) (betterauth.SignIn, error) {
	body, contentType, err := readAuthBody(e)
	if err != nil {
		return betterauth.SignIn{}, err
	}
	form, err := betterauth.DecodeSignIn(contentType, body)
	if err != nil || form.CallbackURL == nil {
		return form, err
	}
	return form, betterauth.CheckCallbackURL(*form.CallbackURL, s.ownOrigin(e), s.origins)
}
