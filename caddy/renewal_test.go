package hookward

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/e2e/sign"
)

// unrenewable is a store that renews nothing, and says when it is asked to.
type unrenewable struct {
	OpenStore
	asked chan struct{}
}

func (u unrenewable) Renew(context.Context, core.Token, []core.Key, time.Duration) error {
	u.asked <- struct{}{}
	return errors.New("the test's store renews nothing")
}

// TestRenewalLeavesTheRequestAlone: a renewal that fails is told of in a
// goroutine of its own, while a handler works with the request. Caddy keeps what
// it knows of a request in a map, and two that use it at once end the process.
func TestRenewalLeavesTheRequestAlone(t *testing.T) {
	address := startCaddy(t, memoryGate(t, "1s"))
	send := func() {
		if resp, text := deliver(t, address, sign.New("meta", testSecret, "", "/")); code(resp) != 200 {
			t.Fatalf("got %d %s", code(resp), text)
		}
	}
	send() // the first use tunes the store, which must be the real one
	asked := make(chan struct{})
	ahead(func(http.ResponseWriter, *http.Request) error {
		openStores.Range(func(_, value any) bool {
			s := value.(*openStore)
			s.OpenStore = unrenewable{s.OpenStore, asked}
			return true
		})
		return nil
	})
	behind(func(w http.ResponseWriter, r *http.Request) error {
		for renewals := 0; renewals < 2; { // the second comes when the first has been told of
			caddyhttp.SetVar(r.Context(), "a_handler's", renewals)
			select {
			case <-asked:
				renewals++
			default:
			}
		}
		w.WriteHeader(200)
		return nil
	})
	send()
}
