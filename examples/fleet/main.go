// Command fleet starts a Redis, a backend, two Caddys and, where there is one,
// two Envoys that share their claims, sends deliveries to all, stops and starts Redis in between, and shows
// what came of each. Then it goes on serving, or with ONCE=1 it ends, with status
// 0 only if all went as it must. Run it from the repository's root:
//
//	go run ./examples/fleet
//
// It needs redis-server in the PATH, and for the Envoys webdis, and envoy or its
// path in ENVOY.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/hookward/hookward/caddy/send"
	"github.com/hookward/hookward/core/provider"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	f, err := start(ctx)
	if err != nil {
		return err
	}
	defer f.stop()
	good := f.show()
	if os.Getenv("ONCE") == "" {
		fmt.Printf("\nServing %v, logs are in %s. Ctrl-C ends it.\n", f.gates, f.dir)
		<-ctx.Done()
		return nil
	}
	if !good {
		return errors.New("not all went as it must")
	}
	return nil
}

// show sends deliveries and prints a table; it says whether all is good.
func (f *fleet) show() (good bool) {
	good = true
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "WHAT\tWHERE\tANSWER\tREACHED THE BACKEND")
	row := func(what string, gate int, d send.Payload, want string, reached int) {
		got := f.send(gate, d)
		for end := time.Now().Add(10 * time.Second); want != refused && got == refused && time.Now().Before(end); got = f.send(gate, d) {
			time.Sleep(20 * time.Millisecond) // as the provider would
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d times\n", what, f.gates[gate].name, got, f.reached(d))
		good = good && got == want && f.reached(d) == reached
	}
	first, second, third, fourth := newDelivery(), newDelivery(), newDelivery(), newDelivery()
	row("a new delivery", 0, first, taken, 1)
	row("the same again", 0, first, duplicate, 1)
	row("the same elsewhere", 1, first, duplicate, 1)
	f.stopRedis()
	row("a new one without Redis", 1, second, refused, 0)
	if err := f.startRedis(); err != nil {
		fmt.Fprintln(w, err)
		return false
	}
	row("its retry, with Redis", 0, second, taken, 1)
	row("the first one again", 1, first, duplicate, 1)
	var all sync.WaitGroup
	for gate := range f.gates {
		all.Go(func() { f.send(gate, third) })
	}
	all.Wait()
	row("one sent to all at once", 0, third, duplicate, 1)
	if len(f.gates) > 2 {
		row("the first at an Envoy", 2, first, duplicate, 1)
		row("a new one at an Envoy", 3, fourth, taken, 1)
		row("the same at a Caddy", 1, fourth, duplicate, 1)
	}
	return good
}

// What a sender may be answered.
const (
	taken     = "200"
	duplicate = "200 duplicate"
	refused   = "503"
)

func newDelivery() send.Payload {
	payload, err := send.Sample(provider.ByName("meta"), "", time.Now())
	if err != nil {
		panic(err) // the samples are built in
	}
	return payload
}

// reached is how often a delivery has reached the backend, which is told its id:
// half of the SHA-256 over the signed bytes.
func (f *fleet) reached(d send.Payload) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := sha256.Sum256(d.Body)
	return f.seen[hex.EncodeToString(sum[:16])]
}

// send returns the status, and whether the gate took it for a duplicate.
func (f *fleet) send(gate int, d send.Payload) string {
	sender := &send.Sender{Provider: provider.ByName("meta"), Secret: f.secret, URL: f.gates[gate].url + "/hooks/meta"}
	request, err := sender.Delivery(d)
	if err != nil {
		return err.Error()
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	answer.Body.Close()
	if answer.Header.Get("X-Hookward-Duplicate") == "true" {
		return duplicate
	}
	return fmt.Sprint(answer.StatusCode)
}
