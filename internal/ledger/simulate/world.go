package simulate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/memorystore"
)

// world is one run: the machine, its ledger, and the clients.
type world struct {
	options  Options
	random   *rand.Rand
	clock    *clock
	memory   *memorystore.Memory
	store    ledger.Store // the memory, or what Options put before it
	disk     *disk
	ledger   *ledger.Ledger
	ids      io.Reader
	inventor *inventor

	open   []*request // sent, not answered, and repeatable
	done   []*request // answered, and repeatable
	closed map[string]string
	trace  hash.Hash
	result Result
}

// Run simulates one seed. The error says what went wrong and in which step.
func Run(options Options) (Result, error) {
	w := newWorld(options)
	w.start()
	defer func() { w.ledger.Close() }()
	for step := range max(1, options.Steps) {
		w.note("step %d at %s", step, w.clock.now.Format("01-02 15:04:05.000"))
		if err := w.step(); err != nil {
			return w.finish(), fmt.Errorf("step %d: %w", step, err)
		}
	}
	if err := w.end(); err != nil {
		return w.finish(), fmt.Errorf("after the last step: %w", err)
	}
	return w.finish(), nil
}

func newWorld(options Options) *world {
	dice := func(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(options.Seed, purpose)) }
	var seed [32]byte
	for i := range 8 {
		seed[i] = byte(options.Seed >> (8 * i))
	}
	w := &world{
		options: options, random: dice(1), clock: newClock(), memory: memorystore.NewMemory(),
		ids: rand.NewChaCha8(seed), closed: make(map[string]string), trace: sha256.New(),
	}
	w.store = w.memory
	if options.Store != nil {
		w.store = options.Store(w.memory)
	}
	for _, subject := range subjects() {
		w.memory.CreateWallet(subject)
	}
	disks := dice(2)
	w.disk = &disk{inner: w.store, clock: w.clock, random: disks, rates: drawRates(disks), note: w.note}
	w.inventor = newInventor(dice(3), w.clock)
	return w
}

// note adds a line to the trace.
func (w *world) note(format string, arguments ...any) {
	line := fmt.Sprintf(format, arguments...) + "\n"
	w.trace.Write([]byte(line))
	if w.options.Trace != nil {
		_, _ = io.WriteString(w.options.Trace, line)
	}
}

func (w *world) finish() Result {
	w.result.Entries = len(w.memory.Books().Entries)
	w.result.Crashes, w.result.Failures = w.disk.crashes, w.disk.faults
	w.result.Hash = hex.EncodeToString(w.trace.Sum(nil))
	return w.result
}

// start is a new process over what is on disk.
func (w *world) start() {
	w.disk.crashed = false
	w.ledger = ledger.Open(w.disk, ledger.Options{Now: w.clock.Now, Random: w.ids, SweepInterval: -1})
}

// restart replaces a dead process. What it had in memory is gone.
func (w *world) restart() {
	w.ledger.Close()
	if crasher, ok := w.store.(Crasher); ok {
		crasher.Crash()
	}
	w.start()
}

func (w *world) step() error {
	var err error
	switch dice := w.random.IntN(100); {
	case dice < 50:
		err = w.send([]*request{w.fresh()})
	case dice < 62:
		err = w.send(w.several())
	case dice < 78:
		err = w.send(w.repetition())
	case dice < 81:
		err = w.sendAltered()
	case dice < 91:
		w.turnClock()
	case dice < 98:
		err = w.sweep()
	default:
		w.note("killed")
		w.disk.crashes++
		w.restart()
	}
	if err != nil {
		return err
	}
	return w.afterStep()
}

// afterStep brings a dead process back and looks at everything.
func (w *world) afterStep() error {
	if w.disk.crashed {
		w.restart()
		if err := w.checkKept(); err != nil {
			return err
		}
	}
	if err := w.checkBooks(); err != nil {
		return err
	}
	return w.checkReaders()
}

// checkKept: a crash takes nothing that was answered.
func (w *world) checkKept() error {
	for _, r := range w.inventor.all {
		if r.first != nil {
			if err := w.checkRecorded(r, *r.first); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) fresh() *request {
	w.result.Requests++
	return w.inventor.request()
}

// repetition is a request that is sent again: mostly one that got no answer, in
// any order and however late, sometimes one that got its answer long ago.
func (w *world) repetition() []*request {
	from := w.open
	if len(from) == 0 || w.random.IntN(4) == 0 {
		from = w.done
	}
	if len(from) == 0 {
		return []*request{w.fresh()}
	}
	w.result.Repeats++
	return []*request{from[w.random.IntN(len(from))]}
}

// mostTogether is how many requests share a batch at most.
const mostTogether = 8

// several are requests that reach the writer while it is busy, among them often
// the same one twice.
func (w *world) several() []*request {
	group := []*request{w.fresh()}
	for range 1 + w.random.IntN(mostTogether-1) {
		switch w.random.IntN(4) {
		case 0:
			group = append(group, w.repetition()...)
		case 1:
			if again := group[w.random.IntN(len(group))]; again.repeatable() {
				w.result.Repeats++
				group = append(group, again)
				continue
			}
			fallthrough
		default:
			group = append(group, w.fresh())
		}
	}
	return group
}

func (w *world) sendAltered() error {
	if len(w.done) == 0 {
		return nil
	}
	r := w.done[w.random.IntN(len(w.done))]
	if r.batch != nil || r.key == "" || r.first == nil {
		return nil
	}
	op, possible := altered(r.op)
	if !possible {
		return nil
	}
	_, err := w.ledger.Do(context.Background(), op)
	w.note("altered %s: %s", r, ledger.CodeOf(err))
	if code := ledger.CodeOf(err); code != ledger.CodeIdempotencyMismatch && code != ledger.CodeOverloaded {
		return fmt.Errorf("%s with another amount was answered with %v", r.name, err)
	}
	return nil
}

// turnClock moves time: mostly on, by anything from a moment to weeks, sometimes
// back, as a machine does whose clock is set.
func (w *world) turnClock() {
	var by time.Duration
	switch w.random.IntN(8) {
	case 0:
		by = -time.Duration(w.random.IntN(7200)) * time.Second
	case 1:
		by = time.Duration(w.random.IntN(10*24*60)) * time.Minute
	case 2, 3:
		by = time.Duration(w.random.IntN(3600)) * time.Second
	default:
		by = time.Duration(w.random.IntN(60_000)) * time.Millisecond
	}
	w.clock.advance(by)
	w.note("clock %s", by)
}

func (w *world) sweep() error {
	err := w.ledger.Sweep(context.Background())
	w.note("sweep: %v", err)
	return err
}

// send sends requests, together if they are several, and judges the answers.
func (w *world) send(group []*request) error {
	for _, r := range group {
		r.sent++
	}
	var answers []answer
	if len(group) == 1 {
		answers = []answer{group[0].send(w.ledger)}
	} else {
		sends := make([]func() answer, 0, len(group))
		for _, r := range group {
			sends = append(sends, func() answer { return r.send(w.ledger) })
		}
		answers = together(w.ledger, w.disk, sends)
	}
	for i, r := range group {
		if err := w.receive(r, answers[i]); err != nil {
			return err
		}
	}
	return nil
}

// receive judges an answer. Those of a process that died never reached anybody.
func (w *world) receive(r *request, a answer) error {
	if w.disk.crashed {
		a = answer{err: &ledger.Error{Code: ledger.CodeOverloaded}}
	}
	w.note("%s: %s", r, a)
	if err := w.checkAnswer(r, a); err != nil {
		return err
	}
	w.file(r, a)
	switch {
	case a.unanswered():
	case a.err != nil:
		w.result.Refusals++
	case r.first == nil:
		r.first = &a
		w.result.Answers++
		return w.believe(r, a)
	}
	return nil
}

// file puts a repeatable request where it belongs.
func (w *world) file(r *request, a answer) {
	if !r.repeatable() {
		return
	}
	isOpen, isDone := slices.Contains(w.open, r), slices.Contains(w.done, r)
	switch {
	case a.unanswered() && !isOpen && !isDone:
		w.open = append(w.open, r)
	case !a.unanswered():
		w.open = slices.DeleteFunc(w.open, func(other *request) bool { return other == r })
		if !isDone {
			w.done = append(w.done, r)
		}
	}
}

// believe takes what a first answer says for granted from now on.
func (w *world) believe(r *request, a answer) error {
	if r.batch != nil {
		return w.believeItems(r, a)
	}
	w.inventor.learn(requestSubject(r.op), a.receipt)
	hold := a.receipt.Hold
	if hold == nil || hold.State == ledger.HoldOpen {
		return nil
	}
	if other, twice := w.closed[hold.ID]; twice {
		return fmt.Errorf("hold %s was closed by %s and by %s", hold.ID, other, r.name)
	}
	w.closed[hold.ID] = r.name
	return nil
}

// believeItems also tells the single requests that a batch took up.
func (w *world) believeItems(r *request, a answer) error {
	for i, item := range r.items {
		if a.results[i].Err != nil {
			continue
		}
		one := answer{receipt: a.results[i].Receipt}
		w.inventor.learn(r.batch.Subject, one.receipt)
		if item.first != nil && !sameAnswer(item, *item.first, one) {
			return fmt.Errorf("%s, an item of %s, answers differently: first %s, now %s", item.name, r.name, *item.first, one)
		}
		if item.first == nil {
			item.first = &one
			w.file(item, one)
		}
	}
	return nil
}

func requestSubject(op ledger.Operation) ledger.Subject {
	switch op := op.(type) {
	case ledger.Mint:
		return op.Subject
	case ledger.Use:
		return op.Subject
	case ledger.Refund:
		return op.Subject
	case ledger.Adjust:
		return op.Subject
	case ledger.Hold:
		return op.Subject
	case ledger.Extend:
		return op.Subject
	case ledger.Settle:
		return op.Subject
	case ledger.Release:
		return op.Subject
	case ledger.Freeze:
		return op.Subject
	case ledger.Unfreeze:
		return op.Subject
	}
	panic(fmt.Sprintf("simulate: no subject of %T", op))
}
