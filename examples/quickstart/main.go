// Command quickstart starts Caddy with the quick start's Caddyfile (or, with
// -host envoy, Envoy with the bootstrap of examples/envoy) and a small backend
// behind it, sends one genuine delivery of each provider and a forged one, and
// shows what came of each. Then it goes on serving, or with ONCE=1 it ends, with
// status 0 only if all went as it must. "make run" and "make run-envoy" build
// what it needs and run it from the repository's root.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/hookward/hookward/caddy/send"
	"github.com/hookward/hookward/core/provider"
)

// gates are the Caddyfile's: a provider, and the variable that holds its
// secret. Each is at /hooks/<provider>.
var gates = []struct{ provider, secret string }{
	{"meta", "META_APP_SECRET"},
	{"twilio", "TWILIO_AUTH_TOKEN"},
	{"telegram", "TELEGRAM_SECRET_TOKEN"},
	{"africastalking", "AFRICASTALKING_KEY"},
	{"x", "X_CONSUMER_SECRET"},
	{"zavu", "ZAVU_SECRET"},
	{"twabot", "TWABOT_SECRET"},
	{"vobiz", "VOBIZ_SECRET"},
}

func main() {
	name := flag.String("host", "caddy", "the host of the gates: caddy or envoy")
	flag.Parse()
	// SIGPIPE, too: "make run | head" ends the programs with the pipe.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	defer stop()
	if err := run(ctx, *name); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string) error {
	h, known := hosts[name]
	if !known {
		return fmt.Errorf("unknown host %q (known: caddy, envoy)", name)
	}
	p, err := start(ctx, h)
	if err != nil {
		return err
	}
	defer p.stop()

	rows := []row{p.try("meta", (*send.Sender).Forgery)} // whatever it brought to the backend would stand in the next row
	for _, g := range gates {
		rows = append(rows, p.try(g.provider, (*send.Sender).Delivery))
	}
	good := printTable(rows)
	if os.Getenv("ONCE") == "" {
		fmt.Printf("\nServing %s/hooks/<provider>, %s's log is in %s. Ctrl-C ends it.\n", p.url, h.name, p.logFile)
		return p.serve(ctx)
	}
	if !good {
		return errors.New("not all went as it must")
	}
	return nil
}

// row is what came of one request.
type row struct {
	provider, verdict, events string
	good                      bool
}

// try sends the provider's first sample and looks at the answer, and at what
// the backend got.
func (p *programs) try(name string, sign func(*send.Sender, send.Payload) (*http.Request, error)) row {
	sender := &send.Sender{
		Provider: provider.ByName(name), Secret: p.secrets[name],
		URL: p.url + "/hooks/" + name, PublicURL: p.publicURL,
	}
	payload, err := send.Sample(sender.Provider, "", time.Now())
	if err != nil {
		return row{name, err.Error(), "", false}
	}
	request, err := sign(sender, payload)
	if err != nil {
		return row{name, err.Error(), "", false}
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return row{name, err.Error(), "", false}
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		code := problemCode(body)
		return row{name + " (forged)", fmt.Sprintf("rejected: %d %s", answer.StatusCode, code), "none", code == "signature_mismatch"}
	}
	events, good := p.delivered(name)
	return row{name, "accepted: 200", events, good}
}

func problemCode(body []byte) string {
	var problem struct{ Code string }
	_ = json.Unmarshal(body, &problem) // another answer has no code
	return problem.Code
}

// delivered prints the next JSON that the backend got and names its events.
func (p *programs) delivered(name string) (events string, good bool) {
	var got []byte
	select {
	case got = <-p.received:
	case <-time.After(5 * time.Second):
		return "the backend got nothing", false
	}
	fmt.Printf("%s\n", got)
	var delivery struct {
		Provider string
		Events   []struct{ Type string }
	}
	if err := json.Unmarshal(got, &delivery); err != nil {
		return err.Error(), false
	}
	var types []string
	for _, e := range delivery.Events {
		types = append(types, e.Type)
	}
	return strings.Join(types, ", "), delivery.Provider == name && len(types) > 0
}

// printTable says whether all is good: the first row is the forged one, which
// must be rejected, and the others must not.
func printTable(rows []row) (good bool) {
	good = true
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "\nPROVIDER\tEVENTS\tVERDICT")
	for i, r := range append(rows[1:], rows[0]) {
		forged := i == len(rows)-1
		good = good && r.good && forged == strings.HasPrefix(r.verdict, "rejected")
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.provider, r.events, r.verdict)
	}
	w.Flush()
	return good
}
