package hooks

import (
	"net/http"
	"time"

	"sokuji/internal/gateway"
	"sokuji/internal/vault"
)

// gatewayService is what all calls share.
type gatewayService struct {
	guard     gateway.Guard
	transport *http.Transport
	client    *gateway.Client
}

func (s *server) openGateway() error {
	var err error
	if s.vault, err = vault.New(s.secrets[0]); err != nil {
		return err
	}
	guard := gateway.Guard{AllowPrivate: s.config.Gateway.AllowPrivate}
	transport := gateway.NewTransport(guard)
	s.gateway = &gatewayService{guard: guard, transport: transport, client: gateway.NewClient(transport, time.Now)}
	return s.loadProviders()
}
