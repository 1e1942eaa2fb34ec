package hooks

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// notifyInterval bounds how often one wallet is announced: four times a second.
// What happens in between arrives as one update with the last state.
const notifyInterval = 250 * time.Millisecond

// walletNotifier tells PocketBase's realtime clients about wallets that the
// ledger changed, behind the commit and never in its way: raw SQL fires no events.
type walletNotifier struct {
	app  core.App
	wake chan struct{}
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex
	dirty map[ledger.Subject]struct{}
}

func newWalletNotifier(app core.App) *walletNotifier {
	n := &walletNotifier{
		app:   app,
		wake:  make(chan struct{}, 1),
		stop:  make(chan struct{}),
		done:  make(chan struct{}),
		dirty: make(map[ledger.Subject]struct{}),
	}
	go n.run()
	return n
}

// changed marks wallets; it is called by the ledger's writer and does not block.
func (n *walletNotifier) changed(wallets []ledger.Wallet) {
	if n.app.SubscriptionsBroker().TotalClients() == 0 {
		return
	}
	n.mu.Lock()
	for _, wallet := range wallets {
		n.dirty[wallet.Subject] = struct{}{}
	}
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default: // it is awake already
	}
}

// close stops announcing and waits until the last announcement is out.
func (n *walletNotifier) close() {
	close(n.stop)
	<-n.done
}

func (n *walletNotifier) run() {
	defer close(n.done)
	for {
		select {
		case <-n.stop:
			return
		case <-n.wake:
			n.announceSafely(n.take())
		}
		select {
		case <-n.stop:
			return
		case <-time.After(notifyInterval):
		}
	}
}

func (n *walletNotifier) take() map[ledger.Subject]struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := n.dirty
	n.dirty = make(map[ledger.Subject]struct{})
	return taken
}

// announceSafely keeps a fault on the way to a listener from ending the process:
// the money is on disk already, and who listens can read again.
func (n *walletNotifier) announceSafely(subjects map[ledger.Subject]struct{}) {
	defer func() {
		if fault := recover(); fault != nil {
			n.app.Logger().Error("Wallets could not be announced", slog.Any("fault", fault), slog.String("stack", string(debug.Stack())))
		}
	}()
	n.announce(subjects)
}

// walletTopic begins the realtime topics of single wallets.
const walletTopic = "wallets/"

// announce sends an update of each wallet that somebody may be listening for.
// PocketBase checks the view rule of each client.
func (n *walletNotifier) announce(subjects map[ledger.Subject]struct{}) {
	online := n.online()
	for subject := range subjects {
		if !online.all && !online.wallets[subject.ID] {
			continue
		}
		record, err := n.app.FindRecordById("wallets", subject.ID)
		if err != nil {
			n.app.Logger().Warn("A wallet could not be announced", slog.String("subject", subject.ID), slog.Any("error", err))
			continue
		}
		event := new(core.ModelEvent)
		event.App, event.Context = n.app, context.Background()
		event.Type, event.Model = core.ModelEventTypeUpdate, record
		if err := n.app.OnModelAfterUpdateSuccess().Trigger(event); err != nil {
			n.app.Logger().Warn("A wallet could not be announced", slog.String("subject", subject.ID), slog.Any("error", err))
		}
	}
}

// listeners is whose wallets somebody may be listening for: users with a realtime
// connection, and organisations whose wallet somebody named. all is set when a
// superuser is among them, who may see every wallet.
type listeners struct {
	wallets map[string]bool
	all     bool
}

func (n *walletNotifier) online() listeners {
	found := listeners{wallets: make(map[string]bool)}
	for _, client := range n.app.SubscriptionsBroker().Clients() {
		record, _ := client.Get(apis.RealtimeClientAuthKey).(*core.Record)
		if record == nil { // a guest, whom PocketBase stores as a nil record
			continue
		}
		if record.IsSuperuser() {
			found.all = true
		}
		found.wallets[record.Id] = true
		for topic := range client.Subscriptions(walletTopic) {
			id, _, _ := strings.Cut(strings.TrimPrefix(topic, walletTopic), "?")
			found.wallets[id] = true
		}
	}
	return found
}
