package ledger

import (
	"context"
	"time"
)

const (
	// defaultSweepInterval is how often the writer looks for holds and grants whose
	// time is over; api.md promises 5 s.
	defaultSweepInterval = time.Second
	// maxSweepPages bounds what one sweep does before operations have their turn
	// again, in pages of maxBatchOperations.
	maxSweepPages = 16
)

// sweeper remembers where the last sweep stopped. A grant that a hold keeps alive
// stays due, and must not be looked at for ever while others wait behind it.
type sweeper struct {
	holds, grants DuePosition
}

// sweep expires what is due. A failure is logged by process and tried again at
// the next sweep.
func (l *Ledger) sweep() {
	now := l.options.Now().UTC().Truncate(time.Millisecond)
	l.sweeper.holds = l.sweepList(l.sweeper.holds, func(after DuePosition) ([]Due, error) {
		return l.store.DueHolds(context.Background(), now, after, maxBatchOperations)
	}, func(due Due) Operation {
		return expireHold{Request: Request{Subject: due.Subject}, holdID: due.ID}
	})
	l.sweeper.grants = l.sweepList(l.sweeper.grants, func(after DuePosition) ([]Due, error) {
		return l.store.DueGrants(context.Background(), now, after, maxBatchOperations)
	}, func(due Due) Operation {
		return expireGrant{Request: Request{Subject: due.Subject}, grantID: due.ID}
	})
}

// sweepList works through a list of what is due and returns where the next sweep
// goes on: at the beginning, once the end was reached.
func (l *Ledger) sweepList(after DuePosition, list func(DuePosition) ([]Due, error), expire func(Due) Operation) DuePosition {
	for range maxSweepPages {
		page, err := list(after)
		if err != nil {
			l.failed(err)
			return DuePosition{}
		}
		jobs := make([]*job, 0, len(page))
		for _, due := range page {
			jobs = append(jobs, newJob(context.Background(), expire(due)))
		}
		if len(jobs) > 0 {
			l.process(jobs)
		}
		if len(page) < maxBatchOperations {
			return DuePosition{}
		}
		after = page[len(page)-1].DuePosition
	}
	return after
}

// expireDue takes back what is over of a wallet's grants before anything else
// happens in it, so that nothing is paid with tokens that a sweep has yet to find.
// Holds wait for the sweep: a late one only keeps tokens from being spent.
func (b *batch) expireDue(subject Subject) error {
	wallet, err := b.wallet(subject)
	if err != nil || wallet.Expiring == 0 {
		return err
	}
	grants, err := b.grantsOf(subject)
	if err != nil {
		return err
	}
	for _, grant := range grants {
		if grant.live(b.now) {
			return nil // the soonest come first
		}
		op := expireGrant{Request: Request{Subject: subject}, grantID: grant.ID}
		if _, err := b.perform(op); fault(err) != nil {
			return err
		}
	}
	return nil
}
