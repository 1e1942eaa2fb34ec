package sqlitestore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sokuji/internal/ledger"
)

// No index has the time of an entry: every charge would pay for it. What finds a
// period instead are zones, runs of a wallet's entries with the earliest and the
// latest time in each. Entries never change, so a zone that is full is read once
// and then kept in memory. Zones are right whatever a clock did, for which a search
// by halves would have to trust that time grows along with seq.

const (
	zoneEntries = 1_024 // entries of a zone
	// maxZones bounds what is kept, in zones of 16 bytes: then all is forgotten.
	maxZones = 1 << 17
)

// zone is the times of zoneEntries entries, or of the newest ones, in milliseconds.
type zone struct{ earliest, latest int64 }

// seqs are consecutive entries of a wallet; none when last is below first.
type seqs struct{ first, last int64 }

// zonesOf is those of zone number i, from 0, when newest is the wallet's seq.
func zonesOf(i int, newest int64) seqs {
	first := int64(i)*zoneEntries + 1
	return seqs{first, min(first+zoneEntries-1, newest)}
}

// zoneCache keeps the full zones of wallets.
type zoneCache struct {
	mutex sync.Mutex
	kept  map[ledger.Subject]*walletZones
	count int
}

type walletZones struct {
	mutex sync.Mutex // held while they are read: whoever else wants them waits
	full  []zone
}

func (c *zoneCache) of(subject ledger.Subject) *walletZones {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.kept == nil || c.count > maxZones {
		c.kept, c.count = make(map[ledger.Subject]*walletZones), 0
	}
	zones, known := c.kept[subject]
	if !known {
		zones = new(walletZones)
		c.kept[subject] = zones
		c.count++ // an entry of the map counts as well
	}
	return zones
}

func (c *zoneCache) grown(zones int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.count += zones
}

// zones are those of all entries up to the newest, the last of which may not be
// full.
func (s *Store) zones(ctx context.Context, subject ledger.Subject, newest int64) ([]zone, error) {
	wallet := s.zoneCache.of(subject)
	wallet.mutex.Lock()
	defer wallet.mutex.Unlock()
	full := int(newest / zoneEntries)
	known := len(wallet.full)
	for i := known; i < full; i++ {
		read, err := s.readZone(ctx, subject, zonesOf(i, newest))
		if err != nil {
			return nil, err
		}
		wallet.full = append(wallet.full, read)
	}
	s.zoneCache.grown(len(wallet.full) - known)
	found := wallet.full[:full:full]
	if newest%zoneEntries == 0 {
		return found, nil
	}
	last, err := s.readZone(ctx, subject, zonesOf(full, newest))
	return append(found, last), err
}

const selectZone = `SELECT COUNT(*), COALESCE(MIN(created_at), ''), COALESCE(MAX(created_at), '') FROM wallet_ledger
WHERE subject_id = ? AND subject_type = ? AND seq BETWEEN ? AND ?`

func (s *Store) readZone(ctx context.Context, subject ledger.Subject, of seqs) (zone, error) {
	var count int64
	var earliest, latest string
	err := s.reader.QueryRowContext(ctx, selectZone, subject.ID, string(subject.Type), of.first, of.last).Scan(&count, &earliest, &latest)
	if err != nil {
		return zone{}, fmt.Errorf("read the times of entries: %w", err)
	}
	if count != of.last-of.first+1 {
		return zone{}, fmt.Errorf("of the entries %d to %d of %s only %d are there", of.first, of.last, subject.ID, count)
	}
	first, err := parseTime(earliest)
	if err != nil {
		return zone{}, fmt.Errorf("entries %d to %d of %s: created_at: %w", of.first, of.last, subject.ID, err)
	}
	last, err := parseTime(latest)
	if err != nil {
		return zone{}, fmt.Errorf("entries %d to %d of %s: created_at: %w", of.first, of.last, subject.ID, err)
	}
	return zone{first.UnixMilli(), last.UnixMilli()}, nil
}

// span is a period in milliseconds: from is included, to is not.
type span struct{ from, to int64 }

func spanOf(from, to time.Time) span {
	const always = 1 << 62
	period := span{-always, always}
	if !from.IsZero() {
		period.from = from.UnixMilli() // cut off as formatTime does
	}
	if !to.IsZero() {
		period.to = to.UnixMilli()
	}
	return period
}

func (p span) touches(z zone) bool { return z.latest >= p.from && z.earliest < p.to }
func (p span) covers(z zone) bool  { return z.earliest >= p.from && z.latest < p.to }

// within narrows a period to the entries from the first to the last zone that it
// touches. Some of them may lie outside of it.
func (p span) within(zones []zone, newest int64) seqs {
	found := seqs{first: 1}
	for i, z := range zones {
		if !p.touches(z) {
			continue
		}
		of := zonesOf(i, newest)
		if found.last == 0 {
			found.first = of.first
		}
		found.last = of.last
	}
	return found
}
