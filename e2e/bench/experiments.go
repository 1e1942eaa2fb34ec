package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"sokuji/e2e/testserver"
)

// partCells is the part of a run that fills the table.
const partCells = "cells"

// experiments are the other parts, each with files and servers of its own.
var experiments = []struct {
	part string
	run  func(context.Context, *lab) ([]finding, error)
}{
	{"pages", comparePages},
	{"scale", compareScale},
	{"memory", measureMemory},
	{"start", measureStart},
	{"collector", compareCollector},
	{"leads", compareLeads},
	{"reads", compareReads},
	{"gateway", compareGateways},
	{"streams", measureStreams},
}

// parts are what -only may name.
func parts() []string {
	names := []string{partCells}
	for _, one := range experiments {
		names = append(names, one.part)
	}
	return names
}

func experiment(ctx context.Context, chosen settings, progress io.Writer) ([]finding, error) {
	var all []finding
	for _, one := range experiments {
		if !chosen.wants(one.part) {
			continue
		}
		begin := time.Now()
		found, err := inLab(ctx, chosen, progress, one.run)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.part, err)
		}
		fmt.Fprintf(progress, "%s: %.0f s\n", one.part, time.Since(begin).Seconds())
		all = append(all, found...)
	}
	return all, nil
}

// lab is where an experiment keeps its files and servers.
type lab struct {
	settings
	folder   string
	servers  []*testserver.Server
	progress io.Writer
}

func inLab(ctx context.Context, chosen settings, progress io.Writer, run func(context.Context, *lab) ([]finding, error)) (found []finding, err error) {
	l := &lab{settings: chosen, progress: progress}
	if l.folder, err = os.MkdirTemp("", "sokuji-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		for _, server := range l.servers {
			err = errors.Join(err, server.Close())
		}
		err = errors.Join(err, os.RemoveAll(l.folder))
	}()
	return run(ctx, l)
}

// filled makes a new data folder.
func (l *lab) filled(ctx context.Context, name string, with filling) (string, error) {
	fmt.Fprintf(l.progress, "filling %s: %d wallets, %d ledger rows\n", name, with.wallets, max(with.wallets, with.rows))
	folder := filepath.Join(l.folder, name)
	return folder, fillBooks(ctx, folder, with)
}

// copied makes a copy of a data folder that no process has open.
func (l *lab) copied(from, name string) (string, error) {
	folder := filepath.Join(l.folder, name)
	return folder, os.CopyFS(folder, os.DirFS(from))
}

// serve starts a server that ends with the experiment.
func (l *lab) serve(folder string, env ...string) (*testserver.Server, error) {
	server, err := testserver.Open(testserver.Options{Dir: folder, Env: env})
	if err != nil {
		return nil, err
	}
	l.servers = append(l.servers, server)
	return server, nil
}

// useLoad charges the wallets of a filled server.
func (l *lab) useLoad(ctx context.Context, server *testserver.Server, wallets int) (load, error) {
	root, err := server.Superuser(ctx)
	host := hostOf(server.URL)
	return load{
		host: host, requests: useRequests(host, usePath, root, wallets), pid: server.PID(),
		connections: comparedConnections, seconds: l.seconds,
	}, err
}

// contender is one side of a contest.
type contender struct {
	name string
	run  func(context.Context) (figures, error)
}

// contest lets contenders take turns, so that a machine that slows down slows
// all of them, and returns the middle round of each.
func (l *lab) contest(ctx context.Context, contenders []contender) ([]figures, error) {
	seen := make([][]figures, len(contenders))
	for round := range l.sizes.rounds {
		for i, one := range contenders {
			fmt.Fprintf(l.progress, "round %d: %s\n", round+1, one.name)
			figures, err := one.run(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", one.name, err)
			}
			seen[i] = append(seen[i], figures)
		}
	}
	middle := make([]figures, len(contenders))
	for i := range seen {
		middle[i] = median(seen[i])
	}
	return middle, nil
}

// compareCosts compares what was done in a second, and what of the processor one
// thing took, which tells the truth also on a machine that others use.
func compareCosts(what string, subject, reference figures) []finding {
	found := []finding{{
		what: what, measured: rate(subject), compared: rate(reference), ratio: subject.perSecond / reference.perSecond,
	}}
	if reference.cpu == 0 {
		return found // there is no /proc
	}
	return append(found, finding{
		what: "processor time of it: " + what, measured: microseconds(subject.cpu), compared: microseconds(reference.cpu),
		ratio: float64(subject.cpu) / float64(reference.cpu),
	})
}
