package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"sokuji/e2e/testserver"
)

// What the gateway is compared at.
const (
	gatewayDirect  = "the provider directly"
	gatewayProxy   = "a bare reverse proxy"
	gatewayPortkey = "the Portkey gateway, which charges nobody"
	gatewaySokuji  = "the server, with hold and settlement on disk"

	providerKey        = "sk-of-the-provider"
	providerCredential = "Authorization: Bearer " + providerKey

	leastOfProxy, betterOfProxy     = 0.4, 0.7
	leastOfPortkey, betterOfPortkey = 6, 12
	mostAddedTime, betterAddedTime  = time.Millisecond, 500 * time.Microsecond
)

// gatewayConnections are those that the targets name.
var gatewayConnections = []int{1, 16, comparedConnections}

// gates are the ways to the provider, each a process of its own.
type gates struct {
	provider, proxy, portkey *process
	server                   *testserver.Server
	key                      string
}

func openGates(ctx context.Context, l *lab) (_ *gates, err error) {
	g := &gates{}
	defer func() {
		if err != nil {
			g.close()
		}
	}()
	if g.provider, err = startProvider(ctx); err != nil {
		return nil, err
	}
	if g.proxy, err = startProxy(ctx, g.provider.URL); err != nil {
		return nil, err
	}
	g.server, err = l.serve("", "OPENAI_API_KEY="+providerKey, "OPENAI_BASE_URL="+g.provider.URL+"/v1", "GATEWAY_ALLOW_PRIVATE=true")
	if err != nil {
		return nil, err
	}
	if err := addPrice(ctx, g.server); err != nil {
		return nil, err
	}
	g.key, err = unlimitedKey(ctx, g.server)
	return g, err
}

// addPrice prices the model of the chats, as an admin would in the dashboard.
func addPrice(ctx context.Context, server *testserver.Server) error {
	root, err := server.Superuser(ctx)
	if err != nil {
		return err
	}
	const microUSDPerMillion = 1_000_000
	_, err = server.CallJSON(ctx, testserver.Request{Path: "/api/collections/prices/records", Token: root, Body: map[string]any{
		"provider": "openai", "model": chatModel, "in_text": microUSDPerMillion, "in_cached_text": microUSDPerMillion, "out_text": microUSDPerMillion,
	}}, nil)
	return err
}

// close ends what the experiment does not end by itself.
func (g *gates) close() {
	for _, started := range []*process{g.provider, g.proxy, g.portkey} {
		if started != nil {
			started.close()
		}
	}
}

// unlimitedKey is the key of a new account whose plan has no limit that a bench
// would meet.
func unlimitedKey(ctx context.Context, server *testserver.Server) (string, error) {
	made, err := newAccount(ctx, server)
	if err != nil {
		return "", err
	}
	root, err := server.Superuser(ctx)
	if err != nil {
		return "", err
	}
	if err := allow(ctx, server, root, made.userID, "gateway", "wallet:read"); err != nil {
		return "", err
	}
	var found struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	const entitlements = "/api/collections/entitlements/records"
	filter := "?filter=subject_id%3D%22" + made.userID + "%22"
	if _, err := server.CallJSON(ctx, testserver.Request{Path: entitlements + filter, Token: root}, &found); err != nil {
		return "", fmt.Errorf("find the entitlement: %w", err)
	}
	for _, one := range found.Items {
		_, err := server.CallJSON(ctx, testserver.Request{
			Method: http.MethodPatch, Path: entitlements + "/" + one.ID, Token: root, Body: map[string]any{
				"rate_limit_rpm": 100_000_000, "rate_limit_tpm": 100_000_000_000, "max_concurrent_sessions": 100_000,
			},
		}, nil)
		if err != nil {
			return "", fmt.Errorf("lift the limits: %w", err)
		}
	}
	return made.key, nil
}

// ends are the shortest way and the server's own.
func (g *gates) ends(body string) []way {
	return []way{
		newWay(gatewayDirect, g.provider.URL, body, g.provider.command.Process.Pid, providerCredential),
		newWay(gatewaySokuji, g.server.URL, body, g.server.PID(), "Authorization: Bearer "+g.key),
	}
}

// ways lists the hosts with the requests that ask each for the same.
func (g *gates) ways(body string) []way {
	all := append(g.ends(body), newWay(gatewayProxy, g.proxy.URL, body, g.proxy.command.Process.Pid, providerCredential))
	if g.portkey == nil {
		return all
	}
	return append(all, newWay(gatewayPortkey, g.portkey.URL, body, g.portkey.command.Process.Pid,
		providerCredential, "x-portkey-provider: openai", "x-portkey-custom-host: "+g.provider.URL+"/v1"))
}

// way is one way to the provider.
type way struct {
	name    string
	host    string
	request []byte
	pid     int
}

func newWay(name, url, body string, pid int, headers ...string) way {
	host := hostOf(url)
	text := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", chatPath, host, len(body))
	for _, header := range headers {
		text += header + "\r\n"
	}
	return way{name: name, host: host, request: []byte(text + "\r\n" + body), pid: pid}
}

// compareGateways sends the same chat by every way, and looks at the books after it.
func compareGateways(ctx context.Context, l *lab) ([]finding, error) {
	g, err := openGates(ctx, l)
	if err != nil {
		return nil, err
	}
	defer g.close()
	if g.portkey, err = startPortkey(ctx, l); err != nil {
		return nil, err
	}
	var all []finding
	charged := 0
	for _, connections := range gatewayConnections {
		seen, err := l.sendChats(ctx, g.ways(chatRequest), connections, &charged)
		if err != nil {
			return nil, err
		}
		all = append(all, gatewayFindings(seen, connections)...)
	}
	return all, g.checkCharges(ctx, charged)
}

// sendChats lets all ways take turns, and returns the middle round of each.
func (l *lab) sendChats(ctx context.Context, ways []way, connections int, charged *int) (map[string]figures, error) {
	contenders := make([]contender, len(ways))
	for i, one := range ways {
		sent := load{host: one.host, requests: [][]byte{one.request}, connections: connections, seconds: l.seconds, pid: one.pid}
		contenders[i] = contender{fmt.Sprintf("%s by %s", counted(connections, "connection"), one.name), func(ctx context.Context) (figures, error) {
			seen, err := sent.run(ctx)
			if one.name == gatewaySokuji {
				*charged += seen.answered
			}
			return seen, err
		}}
	}
	middle, err := l.contest(ctx, contenders)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]figures, len(ways))
	for i, one := range ways {
		seen[one.name] = middle[i]
	}
	return seen, nil
}

func gatewayFindings(seen map[string]figures, connections int) []finding {
	var all []finding
	own, direct := seen[gatewaySokuji], seen[gatewayDirect]
	for _, name := range []string{gatewayDirect, gatewayProxy, gatewayPortkey} {
		other, measured := seen[name]
		if !measured {
			continue
		}
		f := finding{
			what:     fmt.Sprintf("chat at %d: %s : %s", connections, "the server", name),
			measured: rateAndTimes(own), compared: rateAndTimes(other), ratio: own.perSecond / other.perSecond,
		}
		if connections == comparedConnections {
			switch name {
			case gatewayProxy:
				f.least, f.better = leastOfProxy, betterOfProxy
			case gatewayPortkey:
				f.least, f.better = leastOfPortkey, betterOfPortkey
			}
		}
		all = append(all, f)
	}
	added := finding{
		what:     fmt.Sprintf("chat at %d: p50 that the server adds : 1 ms", connections),
		measured: milliseconds(own.p50 - direct.p50), compared: milliseconds(mostAddedTime),
		ratio: float64(own.p50-direct.p50) / float64(mostAddedTime),
	}
	if connections == 1 {
		added.most, added.better = 1, float64(betterAddedTime)/float64(mostAddedTime)
	}
	return append(all, added)
}

func rateAndTimes(seen figures) string {
	return fmt.Sprintf("%.0f/s %s %s", seen.perSecond, milliseconds(seen.p50), milliseconds(seen.p99))
}

// checkCharges makes sure that every answer was paid for: a gateway that forgets
// is fast.
func (g *gates) checkCharges(ctx context.Context, answered int) error {
	var page struct {
		Pagination struct {
			Total int `json:"total"`
		} `json:"pagination"`
	}
	if _, err := g.server.CallJSON(ctx, testserver.Request{Path: "/api/wallet/usage?limit=1", Token: g.key}, &page); err != nil {
		return err
	}
	if page.Pagination.Total != answered {
		return fmt.Errorf("the books are wrong: %d usage rows for %d answers", page.Pagination.Total, answered)
	}
	return nil
}
