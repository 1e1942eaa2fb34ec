package ledger

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sokuji/internal/readcache"
)

const (
	// maxQueuedOperations bounds what waits for the writer; beyond it callers are
	// told to come back (about half a second of work).
	maxQueuedOperations = 4096
	// maxQueuedUses bounds the uses of all batches that wait, which are many more.
	maxQueuedUses = 32 * MaxBatchUses
	// maxBatchOperations bounds one transaction: past a few hundred, a bigger
	// batch no longer saves time and only makes its callers wait.
	maxBatchOperations = 256
	// maxCachedWallets bounds the memory of the readers' view (about 250 bytes
	// each). Only the writer changes a wallet, so it reads from there too. A wallet
	// beyond it costs a read.
	maxCachedWallets = 32_000
)

// Options are the ledger's ties to the world, injected so that a test or a
// simulation can hold them.
type Options struct {
	Now    func() time.Time
	Random io.Reader
	// SweepInterval is how often holds and grants that are over are looked for; 0
	// means the default, a negative value never: Sweep does it.
	SweepInterval time.Duration
	// OnCommit is told about every wallet that a batch changed, after the commit
	// and before the callers are answered. It must not block. May be nil.
	OnCommit func([]Wallet)
	// OnFailure is told why a batch could not be stored, for the log. May be nil.
	OnFailure func(error)
}

// Ledger is the one writer of all money, and the readers' view of the wallets.
type Ledger struct {
	store   Store
	options Options
	ids     *Identifiers
	cache   *readcache.Cache[Subject, Wallet]
	queue   chan *job
	uses    atomic.Int64 // of the batches in the queue
	sweeper sweeper
	holds   openHolds

	closing sync.RWMutex // held for reading while a job enters the queue
	closed  bool
	done    chan struct{}
}

// job is an operation, a batch of uses or a sweep on its way through the writer.
type job struct {
	ctx     context.Context
	op      Operation
	uses    *UseBatch
	sweep   bool
	receipt Receipt
	results []Result // one for each of uses
	err     error
	done    chan struct{}
}

func newJob(ctx context.Context, op Operation) *job {
	return &job{ctx: ctx, op: op, done: make(chan struct{})}
}

// subject is the wallet that the job is about.
func (j *job) subject() Subject {
	if j.uses != nil {
		return j.uses.Subject
	}
	return j.op.request().Subject
}

// size is how many operations the job brings.
func (j *job) size() int {
	if j.uses != nil {
		return len(j.uses.Uses)
	}
	return 1
}

// Open starts the writer. Close it before the store goes away.
func Open(store Store, options Options) *Ledger {
	l := &Ledger{
		store:   store,
		options: options,
		ids:     NewIdentifiers(options.Random),
		cache:   readcache.New[Subject, Wallet](maxCachedWallets),
		queue:   make(chan *job, maxQueuedOperations),
		holds:   make(openHolds),
		done:    make(chan struct{}),
	}
	go l.run()
	return l
}

// Do performs one operation and returns when its effect is on disk. Errors are
// *Error and mean that nothing was written, with one exception: after
// CodeOverloaded the effect may be there, and repeating the operation with the
// same idempotency key tells.
//
// Do must never be called inside a database transaction: the writer would wait
// for the connection that the transaction holds.
func (l *Ledger) Do(ctx context.Context, op Operation) (Receipt, error) {
	if err := validRequest(op.request()); err != nil {
		return Receipt{}, err
	}
	if err := acceptable(op); err != nil {
		return Receipt{}, err
	}
	j := newJob(ctx, op)
	if err := l.enqueue(j); err != nil {
		return Receipt{}, err
	}
	<-j.done // the writer answers every job it was given, so this ends
	return j.receipt, j.err
}

// DoUses performs a batch of uses in one transaction and returns the result of
// each, in order. The bool says that these are the first results of a repeated
// request. Its error is about the batch as a whole, as Do's.
func (l *Ledger) DoUses(ctx context.Context, uses UseBatch) ([]Result, bool, error) {
	if err := uses.validate(); err != nil {
		return nil, false, err
	}
	if l.uses.Add(int64(len(uses.Uses))) > maxQueuedUses {
		l.uses.Add(-int64(len(uses.Uses)))
		return nil, false, tooMany()
	}
	defer l.uses.Add(-int64(len(uses.Uses)))
	j := newJob(ctx, nil)
	j.uses = &uses
	if err := l.enqueue(j); err != nil {
		return nil, false, err
	}
	<-j.done
	return j.results, j.receipt.Replayed, j.err
}

// Sweep expires the holds and grants that are over, and returns when it is done.
// The writer does it by itself as often as Options say.
func (l *Ledger) Sweep(ctx context.Context) error {
	j := newJob(ctx, nil)
	j.sweep = true
	if err := l.enqueue(j); err != nil {
		return err
	}
	<-j.done
	return j.err
}

// Wallet returns the committed state of a wallet.
func (l *Ledger) Wallet(ctx context.Context, subject Subject) (Wallet, error) {
	wallet, cached, ticket := l.cache.Get(subject)
	if cached {
		return wallet, nil
	}
	wallet, found, err := l.store.Wallet(ctx, subject)
	if err != nil {
		return Wallet{}, unavailable(err)
	}
	if !found {
		return Wallet{}, notFound(subject)
	}
	l.cache.Fill(wallet.Subject, wallet, ticket) // the caller's may be a piece of a whole request
	return wallet, nil
}

// Waiting is how many operations are in the queue.
func (l *Ledger) Waiting() int { return len(l.queue) }

// Close stops taking operations, finishes those that wait, and returns when the
// last one is answered.
func (l *Ledger) Close() {
	l.closing.Lock()
	if !l.closed {
		l.closed = true
		close(l.queue)
	}
	l.closing.Unlock()
	<-l.done
}

func (l *Ledger) enqueue(j *job) error {
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.closed {
		return &Error{Code: CodeOverloaded, Message: "The server is shutting down: try again in a moment."}
	}
	select {
	case l.queue <- j:
		return nil
	default:
		return tooMany()
	}
}

func tooMany() error {
	return &Error{Code: CodeOverloaded, Message: "Too many operations are waiting: try again in a moment."}
}

// run is the writer. It sweeps when it starts, before anything waits for it, and
// then by its own timer.
func (l *Ledger) run() {
	defer close(l.done)
	var timer <-chan time.Time // nil never fires
	if l.options.SweepInterval >= 0 {
		ticker := time.NewTicker(cmp.Or(l.options.SweepInterval, defaultSweepInterval))
		defer ticker.Stop()
		timer = ticker.C
		l.sweep()
	}
	for {
		select {
		case <-timer:
			l.sweep()
		case first, open := <-l.queue:
			if !open {
				return
			}
			l.serve(l.collect(first))
		}
	}
}

// serve processes jobs in order; a sweep among them is a batch of its own.
func (l *Ledger) serve(jobs []*job) {
	for len(jobs) > 0 {
		operations := slices.IndexFunc(jobs, func(j *job) bool { return j.sweep })
		if operations < 0 {
			operations = len(jobs)
		}
		if operations > 0 {
			l.process(jobs[:operations])
			jobs = jobs[operations:]
			continue
		}
		l.sweep()
		close(jobs[0].done)
		jobs = jobs[1:]
	}
}

// collect takes what is waiting, without waiting for more: under load batches
// grow by themselves, and a lone caller is served at once.
func (l *Ledger) collect(first *job) []*job {
	jobs := []*job{first}
	for size := first.size(); size < maxBatchOperations; {
		select {
		case next, open := <-l.queue:
			if !open {
				return jobs
			}
			jobs = append(jobs, next)
			size += next.size()
		default:
			return jobs
		}
	}
	return jobs
}

// process stores a batch and answers it. When one row breaks a constraint, the
// operations are done again one by one, so that only the culprit fails.
func (l *Ledger) process(jobs []*job) {
	err := l.commitBatch(jobs)
	if errors.Is(err, ErrConflict) && len(jobs) > 1 {
		for _, j := range jobs {
			l.process([]*job{j})
		}
		return
	}
	if err != nil {
		l.fail(jobs, err)
	}
	for _, j := range jobs {
		close(j.done)
	}
}

// fail answers a whole batch with the same error, also those of its operations
// that were refused: their refusals may rest on neighbours that never happened.
func (l *Ledger) fail(jobs []*job, cause error) {
	l.failed(cause)
	l.holds.unsure()
	for _, j := range jobs {
		l.cache.Drop(j.subject())
		j.receipt, j.results, j.err = Receipt{}, nil, unavailable(cause)
	}
}

func (l *Ledger) failed(cause error) {
	if l.options.OnFailure != nil {
		l.options.OnFailure(cause)
	}
}

// acceptable refuses what need not wait for the writer.
func acceptable(op Operation) error {
	refusal := op.request().Refusal
	if refusal == nil {
		return op.validate()
	}
	if repeatable(op) {
		return nil // the writer knows whether it was done before
	}
	return refusal
}

func validRequest(request Request) error {
	if _, err := ParseSubject(string(request.Subject.Type), request.Subject.ID); err != nil {
		return err
	}
	return firstError(
		validText("Idempotency-Key", request.IdempotencyKey, MaxIdempotencyKeyBytes),
		request.Spender.validate(),
	)
}
