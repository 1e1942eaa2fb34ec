package testserver

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
)

// UserPassword is the password of every user that NewUser makes.
const UserPassword = "a password of the tests"

// User is a user that signed up, with the session of the sign-up.
type User struct {
	ID       string
	Email    string
	Password string
	Token    string // of the session
}

// Superuser returns the token of the configured superuser, signed in at the
// first call.
func (s *Server) Superuser(ctx context.Context) (string, error) {
	s.tokenMutex.Lock()
	defer s.tokenMutex.Unlock()
	if s.token != "" {
		return s.token, nil
	}
	token, err := s.SignInSuperuser(ctx, SuperuserEmail, SuperuserPassword)
	s.token = token
	return token, err
}

// SignInSuperuser signs a superuser in by PocketBase's own route.
func (s *Server) SignInSuperuser(ctx context.Context, email, password string) (string, error) {
	var answer struct {
		Token string `json:"token"`
	}
	_, err := s.CallJSON(ctx, Request{
		Path: "/api/collections/_superusers/auth-with-password",
		Body: map[string]string{"identity": email, "password": password},
	}, &answer)
	if err == nil && answer.Token == "" {
		err = errors.New("the superuser's sign-in has no token")
	}
	return answer.Token, err
}

// NewUser signs up somebody who was not there before.
func (s *Server) NewUser(ctx context.Context) (User, error) {
	return s.SignUp(ctx, strings.ToLower(rand.Text())+"@example.com", UserPassword)
}

// SignUp signs up by Better Auth's route.
func (s *Server) SignUp(ctx context.Context, email, password string) (User, error) {
	var answer struct {
		Token string `json:"token"`
		User  struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	_, err := s.CallJSON(ctx, Request{
		Path: "/api/auth/sign-up/email", Method: http.MethodPost,
		Body: map[string]string{"name": "Aoi Test", "email": email, "password": password},
	}, &answer)
	if err == nil && (answer.Token == "" || answer.User.ID == "") {
		err = errors.New("the sign-up has no token or no user")
	}
	return User{ID: answer.User.ID, Email: email, Password: password, Token: answer.Token}, err
}
