package main

import (
	"context"
	"errors"
	"fmt"
)

const (
	usageIndex = "idx_usage_logs_subject"
	entryIndex = "idx_wallet_ledger_subject_seq"
)

// leads are other ways to write a charge, each with what it would leave out. The
// first is the server's.
var leads = []struct {
	name    string
	without loopWithout
}{
	{"as it is", loopWithout{}},
	{"without usage_daily", loopWithout{daily: true}},
	{"without the usage index", loopWithout{indexes: []string{usageIndex}}},
	{"without both indexes", loopWithout{indexes: []string{usageIndex, entryIndex}}},
}

// leadShape is a full batch of the server's writer.
var leadShape = loopShape{charges: 256}

// compareLeads tells what each index of the money tables costs a charge.
func compareLeads(ctx context.Context, l *lab) ([]finding, error) {
	var found []finding
	for _, wallets := range l.sizes.leadWallets {
		seen, err := l.chargeByLead(ctx, wallets)
		if err != nil {
			return nil, err
		}
		for i, lead := range leads[1:] {
			found = append(found, finding{
				what:     fmt.Sprintf("SQLite, %d charges, %d wallets: %s : %s", leadShape.charges, wallets, lead.name, leads[0].name),
				measured: rate(seen[i+1]), compared: rate(seen[0]), ratio: seen[i+1].perSecond / seen[0].perSecond,
			})
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
		one, err := openLoop(folder, wallets, lead.without)
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
