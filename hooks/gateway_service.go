package hooks

import (
	"context"
	"net/http"
	"sync"
	"time"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/vault"
)

const (
	// streamDrainTime is how long calls may go on at shutdown before they are cut;
	// what is left of drainTimeout is for their settlement.
	streamDrainTime = drainTimeout - 5*time.Second
	// settleTime is how long what was cut may take to settle. What has not by then
	// keeps its hold open, and the next start releases it.
	settleTime = 10 * time.Second
	// releasesAtOnce bounds how many holds of a crash are released at a time: as many
	// as the ledger writes in one transaction.
	releasesAtOnce = 256
)

// gatewayService is what all calls share.
type gatewayService struct {
	guard         gateway.Guard
	transport     *http.Transport
	client        *gateway.Client
	sockets       *http.Client
	replays       *replays
	requests      *bodyRoom
	answers       *bodyRoom
	renewInterval time.Duration

	// ctx is the calls' own: it ends, with errDraining, when they must.
	ctx context.Context
	cut context.CancelCauseFunc

	mutex    sync.Mutex
	isClosed bool
	running  sync.WaitGroup
}

func (s *server) openGateway() error {
	var err error
	if s.vault, err = vault.New(s.secrets[0]); err != nil {
		return err
	}
	guard := gateway.Guard{AllowPrivate: s.config.Gateway.AllowPrivate}
	transport := gateway.NewTransport(guard)
	s.gateway = &gatewayService{
		guard: guard, transport: transport, client: gateway.NewClient(transport, time.Now), sockets: newSocketClient(guard),
		replays: newReplays(time.Now), renewInterval: renewInterval,
		requests: newRequestRoom(maxLargeBodiesBytes, maxGatewayJSONBytes), answers: newAnswerRoom(maxLargeAnswersBytes, maxAnswerBytes),
	}
	s.gateway.ctx, s.gateway.cut = context.WithCancelCause(context.Background())
	if err := s.loadProviders(); err != nil {
		return err
	}
	return s.releaseCrashedCalls(context.Background())
}

// enter lets a call or a socket begin, and returns what it calls at its end. The
// ledger closes after the last.
func (g *gatewayService) enter() (leave func(), err error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.isClosed {
		return nil, refusalOfCut(errDraining)
	}
	g.running.Add(1)
	return g.running.Done, nil
}

// drain cuts what still runs, and returns when all of it is settled, or at least
// after settleTime: a client that does not read must not hold the shutdown up.
func (g *gatewayService) drain() {
	g.mutex.Lock()
	g.isClosed = true
	g.mutex.Unlock()
	g.cut(errDraining)
	settled := make(chan struct{})
	go func() {
		g.running.Wait()
		close(settled)
	}()
	select {
	case <-settled:
	case <-time.After(settleTime):
	}
	g.transport.CloseIdleConnections()
}

// releaseCrashedCalls gives back what calls of a former process held. What they
// used is not known for certain, so nothing is charged: the operator bears a crash.
func (s *server) releaseCrashedCalls(ctx context.Context) error {
	holds, err := s.store.OpenHoldsNamed(ctx, gatewayReference)
	if err != nil {
		return err
	}
	slots := make(chan struct{}, releasesAtOnce)
	var releases sync.WaitGroup
	for _, hold := range holds {
		slots <- struct{}{}
		releases.Go(func() {
			defer func() { <-slots }()
			request := ledger.Request{Subject: hold.Subject, Actor: "gateway", Authority: ledger.AsGateway}
			crashed := bill{server: s, request: request, holdID: hold.ID}
			_ = crashed.release() // one that fails is in the log, and expires
		})
	}
	releases.Wait()
	return nil
}
