package main

import (
	"context"
	"errors"
	"fmt"
)

const (
	dropUsageIndex = `DROP INDEX idx_usage_logs_subject`
	dropEntryIndex = `DROP INDEX idx_wallet_ledger_subject_seq`
	// lateCheckpoint lets the write-ahead log grow to 40 MB, ten times the default,
	// before its pages move to the file.
	lateCheckpoint = `PRAGMA wal_autocheckpoint = 10000`
)

// leads are other ways to write a charge. The first is the server's.
var leads = []struct {
	name    string
	variant loopVariant
}{
	{"as it is", loopVariant{}},
	{"rarer checkpoints", loopVariant{prepare: []string{lateCheckpoint}}},
	{"without usage_daily", loopVariant{withoutDaily: true}},
	{"without the usage index", loopVariant{prepare: []string{dropUsageIndex}}},
	{"without both indexes", loopVariant{prepare: []string{dropUsageIndex, dropEntryIndex}}},
}

// leadShape is a full batch of the server's writer.
var leadShape = loopShape{charges: 256}

// compareLeads tells what each index and each checkpoint costs a charge.
func compareLeads(ctx context.Context, l *lab) ([]finding, error) {
	var found []finding
	for _, wallets := range l.sizes.leadWallets {
		seen, err := l.chargeByLead(ctx, wallets)
		if err != nil {
			return nil, err
		}
		for i, lead := range leads[1:] {
			what := fmt.Sprintf("%d wallets: %s : %s", wallets, lead.name, leads[0].name)
			found = append(found, compareCosts(what, seen[i+1], seen[0])...)
		}
	}
	return found, nil
}

func (l *lab) chargeByLead(ctx context.Context, wallets int) (_ []figures, err error) {
	first, err := l.filled(ctx, fmt.Sprintf("lead-%d", wallets), filling{wallets: wallets, rows: max(l.sizes.leadRows, 2*wallets)})
	if err != nil {
		return nil, err
	}
	var contenders []contender
	for i, lead := range leads {
		folder, err := l.copied(first, fmt.Sprintf("lead-%d-%d", wallets, i))
		if err != nil {
			return nil, err
		}
		one, err := openLoop(folder, wallets, lead.variant)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, one.close()) }()
		contenders = append(contenders, contender{
			fmt.Sprintf("%d wallets, %s", wallets, lead.name),
			func(ctx context.Context) (figures, error) { return one.run(ctx, leadShape, l.seconds) },
		})
	}
	return l.contest(ctx, contenders)
}
