package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// tally is a backend that counts how often each delivery reached it.
type tally struct {
	mu    sync.Mutex
	count map[string]int
}

func (b *tally) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.count == nil {
		b.count = map[string]int{}
	}
	b.count[r.Header.Get("X-Hookward-Delivery")]++
}

// timesOver is how many deliveries came n times.
func (b *tally) timesOver(n int) (found int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, times := range b.count {
		if times == n {
			found++
		}
	}
	return found
}

func (b *tally) total() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.count)
}

const onDisk = "webhook {\nstore disk\n}"

// siteKeeping is a site whose Caddy keeps its data in this folder.
func siteKeeping(t *testing.T, data, backend, global, directives string) *caddySite {
	t.Helper()
	s := &caddySite{
		Caddy:   hosts.StartCaddy(t, "SECRET="+secret, "XDG_DATA_HOME="+data),
		Address: fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(t)),
		Backend: backend,
	}
	s.load(t, global, directives)
	return s
}

// TestDiskKilled: a Caddy is killed with kill -9 in the midst of deliveries, and
// another goes on with its file. What was acknowledged is a duplicate; what was
// not reaches the backend. What was on its way may have reached it before.
func TestDiskKilled(t *testing.T) {
	t.Parallel()
	const deliveries, workers = 300, 6
	data, backend := t.TempDir(), &tally{}
	server := httptest.NewServer(backend)
	t.Cleanup(server.Close)
	gate := "verify_webhook meta {\nsecret {env.SECRET}\nreplay {\nlease 2s\n}\n}\nreverse_proxy BACKEND"
	first := siteKeeping(t, data, server.Listener.Addr().String(), onDisk, gate)

	sent := make([]sign.Delivery, deliveries)
	for i := range sent {
		sent[i] = meta()
	}
	acknowledged := make([]bool, deliveries)
	var senders sync.WaitGroup
	for w := range workers {
		senders.Go(func() {
			for i := w; i < deliveries; i += workers {
				a, err := first.trySend(t.Context(), newClient(), sent[i])
				acknowledged[i] = err == nil && a.Status == 200
			}
		})
	}
	eventually(t, "half of the deliveries are done", func() bool { return backend.total() >= deliveries/2 })
	first.Kill()
	senders.Wait()

	second := siteKeeping(t, data, server.Listener.Addr().String(), onDisk, gate)
	forgotten, inFlight := 0, 0
	for i, d := range sent {
		a := second.sendUntilTaken(t, d)
		duplicate := a.Header.Get("X-Hookward-Duplicate") == "true"
		if acknowledged[i] && !duplicate {
			forgotten++
		}
		if !acknowledged[i] && duplicate {
			inFlight++
		}
	}
	lost, twice := deliveries-backend.total(), backend.timesOver(2)
	t.Logf("%d deliveries: %d lost, %d twice, %d acknowledged and forgotten, %d done but not acknowledged", deliveries, lost, twice, forgotten, inFlight)
	if lost > 0 || forgotten > 0 || twice > workers || backend.timesOver(3) > 0 {
		t.Errorf("want none lost, none forgotten, and no more twice than were on their way (%d)", workers)
	}
}

// TestDiskInUse: a second Caddy on the same file says so, and refuses deliveries
// until the first has ended.
func TestDiskInUse(t *testing.T) {
	t.Parallel()
	data, backend := t.TempDir(), &tally{}
	server := httptest.NewServer(backend)
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	first := siteKeeping(t, data, address, onDisk, metaGate)
	d := meta()
	first.send(t, d).want(t, 200)
	second := siteKeeping(t, data, address, onDisk, metaGate)
	second.send(t, d).wantCode(t, 503, "replay_store_unavailable")
	second.WaitForOutput(t, "another process has it open")
	first.Stop()
	second.sendUntilTaken(t, d).wantDuplicate(t)
	if files, _ := filepath.Glob(filepath.Join(data, "caddy", "webhook", "claims*")); len(files) != 2 {
		t.Errorf("files of the store: %v", files)
	}
}
