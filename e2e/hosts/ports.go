package hosts

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Ports are given out of blocks that belong to one test binary each, and never
// twice: Caddy shares its ports with whoever asks, so that nobody would notice.
// They lie below those that the system gives to outgoing connections.
const firstPort, portCount, blockSize = 10_000, 20_000, 500

// ports is the block in use. Whoever listens on a block's first port owns it.
var ports struct {
	sync.Mutex
	next, left int
	owned      []net.Listener
}

// FreePort is a TCP port of 127.0.0.1 that nobody listens on, or will before the
// program that it is for.
func FreePort(t testing.TB) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for range portCount {
		if ports.left == 0 {
			ports.next, ports.left = takeBlock(t), blockSize-1
		}
		ports.next++
		ports.left--
		if l := listen(ports.next); l != nil {
			l.Close()
			return ports.next
		}
	}
	t.Fatal("no free port")
	return 0
}

// takeBlock returns the first port of a block, and owns it for as long as the
// test binary runs.
func takeBlock(t testing.TB) int {
	t.Helper()
	for _, block := range rand.Perm(portCount / blockSize) {
		first := firstPort + block*blockSize
		if l := listen(first); l != nil {
			ports.owned = append(ports.owned, l)
			return first
		}
	}
	t.Fatal("no free block of ports")
	return 0
}

func listen(port int) net.Listener {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil
	}
	return l
}

// withPorts is a bootstrap with a free port wherever it has 0. Envoy would bind
// such a listener when it reads it, and listen there when it has compiled the
// module; meanwhile the system gives the port to any program that wants one,
// and Envoy drops the listener.
func withPorts(t testing.TB, bootstrap any) (changed any) {
	t.Helper()
	data, err := json.Marshal(bootstrap)
	if err == nil {
		err = json.Unmarshal(data, &changed)
	}
	if err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if v["port_value"] == 0.0 {
				v["port_value"] = FreePort(t)
			}
			for _, value := range v {
				walk(value)
			}
		case []any:
			for _, value := range v {
				walk(value)
			}
		}
	}
	walk(changed)
	return changed
}
