package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// openers open streams and sockets at a time.
	openers = 16
	// openTimeout bounds the opening of all of them.
	openTimeout = 2 * time.Minute
)

// measureStreams measures what the server adds to the first token of a stream, and
// what streams and sockets occupy while they are open.
func measureStreams(ctx context.Context, l *lab) ([]finding, error) {
	g, err := openGates(ctx, l)
	if err != nil {
		return nil, err
	}
	defer g.close()
	all, err := l.compareFirstTokens(ctx, g)
	if err != nil {
		return nil, err
	}
	for _, kind := range []struct {
		name string
		open func(context.Context, *gates) (io.Closer, error)
	}{{"streams", openStream}, {"realtime sockets", openSocket}} {
		found, err := l.measureOpen(ctx, g, kind.name, kind.open)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind.name, err)
		}
		all = append(all, found)
	}
	return all, nil
}

// compareFirstTokens lets the ways take turns at streaming the same chat, of which
// only the time to the first event counts.
func (l *lab) compareFirstTokens(ctx context.Context, g *gates) ([]finding, error) {
	var all []finding
	for _, connections := range gatewayConnections {
		ways := g.ends(streamRequest)
		contenders := make([]contender, len(ways))
		for i, one := range ways {
			contenders[i] = contender{fmt.Sprintf("streams at %s by %s", counted(connections, "connection"), one.name), func(ctx context.Context) (figures, error) {
				return firstTokens(ctx, one, connections, l.seconds)
			}}
		}
		seen, err := l.contest(ctx, contenders)
		if err != nil {
			return nil, err
		}
		direct, own := seen[0], seen[len(seen)-1]
		for i, one := range ways[:len(ways)-1] {
			all = append(all, finding{
				what:     fmt.Sprintf("streams at %d: time to the first token, the server : %s", connections, one.name),
				measured: milliseconds(own.p50) + " " + milliseconds(own.p99), compared: milliseconds(seen[i].p50) + " " + milliseconds(seen[i].p99),
				ratio: float64(own.p50) / float64(seen[i].p50),
			})
		}
		all = append(all, finding{
			what:     fmt.Sprintf("streams at %d: p50 that the server adds to the first token : 1 ms", connections),
			measured: milliseconds(own.p50 - direct.p50), compared: milliseconds(mostAddedTime),
			ratio: float64(own.p50-direct.p50) / float64(mostAddedTime),
		})
	}
	return all, nil
}

// firstTokens streams one chat after the other on each connection.
func firstTokens(ctx context.Context, w way, connections int, seconds time.Duration) (figures, error) {
	tallies := make([]tally, connections)
	end := time.Now().Add(seconds)
	var senders sync.WaitGroup
	for number := range connections {
		senders.Go(func() {
			seen := &tallies[number]
			c, err := dial(ctx, w.host, 2*seconds+exchangeTimeout)
			if err != nil {
				seen.fail(err)
				return
			}
			defer c.close()
			for len(seen.taken) == 0 || time.Now().Before(end) {
				took, err := c.firstEvent(w.request)
				if err != nil {
					seen.fail(err)
					return
				}
				seen.answered++
				seen.taken = append(seen.taken, took)
			}
		})
	}
	senders.Wait()
	if err := ctx.Err(); err != nil {
		return figures{}, err
	}
	return summarize(tallies, seconds, seconds, 1)
}

// firstEvent returns when the first event of a stream came, after the whole stream.
func (c *connection) firstEvent(request []byte) (time.Duration, error) {
	begin := time.Now()
	if _, err := c.socket.Write(request); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, refused(response)
	}
	body := bufio.NewReader(response.Body)
	line, err := body.ReadString('\n')
	took := time.Since(begin)
	if err != nil {
		return 0, err
	}
	if !strings.HasPrefix(line, "data:") {
		return 0, fmt.Errorf("a stream began with %q", line)
	}
	_, err = io.Copy(io.Discard, body)
	return took, err
}

// measureOpen opens many of a kind through the server and reads its memory.
func (l *lab) measureOpen(ctx context.Context, g *gates, name string, open func(context.Context, *gates) (io.Closer, error)) (finding, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	idle, err := settled(g.server)
	if err != nil {
		return finding{}, err
	}
	opened := make([]io.Closer, l.sizes.openStreams)
	errs := make([]error, openers)
	var group sync.WaitGroup
	for number := range openers {
		group.Go(func() {
			for i := number; i < len(opened) && errs[number] == nil; i += openers {
				opened[i], errs[number] = open(ctx, g)
			}
		})
	}
	group.Wait()
	defer func() {
		for _, one := range opened {
			if one != nil {
				_ = one.Close() // the other side ends with it
			}
		}
	}()
	if err := errors.Join(errs...); err != nil {
		return finding{}, err
	}
	after, err := settled(g.server)
	if err != nil {
		return finding{}, err
	}
	grown := after.resident - idle.resident
	return finding{
		what:     fmt.Sprintf("memory with %d open %s, above before (a piece: %d kB)", len(opened), name, grown/int64(len(opened))>>10),
		measured: megabytes(after.resident), compared: megabytes(idle.resident), ratio: float64(after.resident) / float64(idle.resident),
	}, nil
}

// openStream opens a stream that stays open, and reads its first event.
func openStream(ctx context.Context, g *gates) (io.Closer, error) {
	host := hostOf(g.server.URL)
	c, err := dial(ctx, host, openTimeout)
	if err != nil {
		return nil, err
	}
	if _, err := c.socket.Write(rawRequest(http.MethodPost, host, chatPath, g.key, patientRequest)); err != nil {
		return c.socket, err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return c.socket, err
	}
	if response.StatusCode != http.StatusOK {
		return c.socket, refused(response)
	}
	_, err = bufio.NewReader(response.Body).ReadString('\n')
	return c.socket, err
}

// openSocket opens a realtime session and reads the provider's greeting.
func openSocket(ctx context.Context, g *gates) (io.Closer, error) {
	socket, _, err := websocket.Dial(ctx, "ws://"+hostOf(g.server.URL)+realtimePath+"?model="+socketModel, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + g.key}},
	})
	if err != nil {
		return nil, err
	}
	_, _, err = socket.Read(ctx)
	return closerFunc(socket.CloseNow), err
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }
