package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/load"
)

const (
	raceEvents  = 100_000
	raceSenders = 3 // of each event, at once
	raceLanes   = 8
	raceWorkers = 8
)

// TestEnvoyRace: of one event that several connections send at once, each to
// whichever of 8 workers has it, exactly one reaches the backend; the others are
// told that it is known or being worked on.
func TestEnvoyRace(t *testing.T) {
	backend := &tally{}
	gate := hosts.Filter{
		Module: hosts.BuildWasm(t, "./envoy-wasm"), Name: "gate", HoldsHeaders: true,
		Config: `{"routes": [{"path": "/hook", "provider": "meta", "secrets": ["` + secret + `"]}]}`,
	}
	envoy := hosts.StartEnvoy(t, hosts.NewestEnvoy(t), hosts.Bootstrap([]object{hosts.Listener("site", "backend", gate.JSON())},
		hosts.Cluster("backend", serve(t, backend))), "--concurrency", fmt.Sprint(raceWorkers))
	address := envoy.Addresses(t)["site"]

	var (
		next  atomic.Int64
		lanes sync.WaitGroup
		total answers
	)
	for range raceLanes {
		lanes.Go(func() {
			lane := newLane(t, address)
			for n := next.Add(1); n <= raceEvents && !t.Failed(); n = next.Add(1) {
				lane.race(t, int(n), &total)
			}
		})
	}
	lanes.Wait()
	t.Logf("%d events, each sent %d times at once to %d workers: %d forwarded, %d known, %d in flight",
		raceEvents, raceSenders, raceWorkers, total.forwarded.Load(), total.known.Load(), total.inFlight.Load())
	if once := backend.timesOver(1); once != raceEvents || backend.total() != raceEvents {
		t.Errorf("of %d events the backend saw %d, and %d of them once", raceEvents, backend.total(), once)
	}
}

// answers are what senders were told.
type answers struct{ forwarded, known, inFlight atomic.Int64 }

// lane sends one event after the other over connections that stay open.
type lane struct{ conns [raceSenders]*raceConn }

type raceConn struct {
	net.Conn
	*bufio.Reader
}

func newLane(t *testing.T, address string) (l lane) {
	for i := range l.conns {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Error(err)
			return l
		}
		t.Cleanup(func() { conn.Close() })
		l.conns[i] = &raceConn{conn, bufio.NewReader(conn)}
	}
	return l
}

// race sends one event over all connections at once.
func (l lane) race(t *testing.T, n int, total *answers) {
	request := load.WhatsApp("/hook", secret, n, 1)[0]
	var senders sync.WaitGroup
	var winners atomic.Int64
	for _, conn := range l.conns {
		senders.Go(func() {
			answer, err := conn.ask(request)
			switch {
			case err != nil:
				t.Errorf("event %d: %v", n, err)
			case answer.StatusCode == 503:
				total.inFlight.Add(1)
			case answer.StatusCode == 200 && answer.Header.Get("X-Hookward-Duplicate") == "true":
				total.known.Add(1)
			case answer.StatusCode == 200:
				winners.Add(1)
			default:
				t.Errorf("event %d is answered %s", n, answer.Status)
			}
		})
	}
	senders.Wait()
	if winners.Load() != 1 {
		t.Errorf("event %d has %d winners, want 1", n, winners.Load())
	}
	total.forwarded.Add(winners.Load())
}

func (c *raceConn) ask(request []byte) (*http.Response, error) {
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(c.Reader, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer, err
}
