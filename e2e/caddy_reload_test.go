package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// TestCaddyReload: claims, counters and requests in flight outlive a reload.
func TestCaddyReload(t *testing.T) {
	t.Parallel()
	working, finish := make(chan struct{}), make(chan struct{})
	backend := &recorder{}
	s := siteWith(t, backend, metaGate)
	done := meta()
	s.send(t, done).want(t, 200)
	before := s.metric(t, `hookward_deliveries_total{code="",name="meta",provider="meta",verdict="accepted"}`)

	var once sync.Once
	backend.will(func(http.ResponseWriter, *http.Request) {
		once.Do(func() { close(working); <-finish })
	})
	flying := meta()
	var sender sync.WaitGroup
	sender.Go(func() { s.send(t, flying).want(t, 200) })
	<-working
	s.load(t, "", "header X-Loaded twice\n"+metaGate)
	s.send(t, done).wantDuplicate(t)
	s.send(t, flying).wantCode(t, 503, "duplicate_in_flight")
	close(finish)
	sender.Wait()
	a := s.send(t, flying)
	a.wantDuplicate(t)
	if a.Header.Get("X-Loaded") != "twice" {
		t.Error("the new configuration is not the one that answers")
	}
	if after := s.metric(t, `hookward_deliveries_total{code="",name="meta",provider="meta",verdict="accepted"}`); before < 1 || after <= before {
		t.Errorf("accepted deliveries: %v before, %v after the reload", before, after)
	}
}

// TestCaddyReloadUnderLoad: while deliveries come and the configuration is
// loaded again and again, each reaches the backend exactly once.
func TestCaddyReloadUnderLoad(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, metaGate)
	stop := make(chan struct{})
	var loader, senders sync.WaitGroup
	loader.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				s.load(t, "", fmt.Sprintf("header X-Load %d\n", i)+metaGate)
			}
		}
	})
	const each, workers = 25, 4
	for range workers {
		senders.Go(func() {
			for range each {
				d := meta()
				s.sendUntilTaken(t, d)
				s.sendUntilTaken(t, d).wantDuplicate(t)
			}
		})
	}
	senders.Wait()
	close(stop)
	loader.Wait()
	if n := len(backend.take()); n != each*workers {
		t.Errorf("%d deliveries reached the backend, want %d", n, each*workers)
	}
}

// sendUntilTaken sends again until the answer is a success, as a provider does:
// a connection that has just been opened may be lost in a reload.
func (s *caddySite) sendUntilTaken(t *testing.T, d sign.Delivery) (a answer) {
	eventually(t, "the delivery is taken", func() bool {
		var err error
		a, err = s.trySend(t.Context(), newClient(), d)
		return err == nil && a.Status == 200
	})
	return a
}

// refused are configurations that Caddy must not take, with what it must say.
var refused = map[string]struct{ directives, says string }{
	"several mistakes": {"verify_webhook meta {\nsecret {env.NOT_SET}\n}\nverify_webhook /b zavu {\nmax_body 0\nallow_ips x\n}", "allow_ips[0]"},
	"unset secret":     {"verify_webhook meta {\nsecret {env.NOT_SET}\n}", `webhook gate \"meta\"`},
	"unreadable file":  {"verify_webhook meta {\nsecret {file./nowhere/secret}\n}", "secret (JSON: secrets[0]): a placeholder is unknown or empty"},
	"two secrets for one name": {"verify_webhook /a meta {\nsecret {env.SECRET}\n}\nverify_webhook /b meta {\nsecret {env.HOME}\n}",
		"give each its own name"},
	"two providers for one name": {"verify_webhook /a meta {\nname n\nsecret {env.SECRET}\n}\nverify_webhook /b zavu {\nname n\nsecret {env.SECRET}\n}",
		"give each its own name"},
	"unset secret and an empty one": {"verify_webhook meta {\nsecret {env.NOT_SET}\nsign_with {env.SECRET}\n}", "sign_with[0]"},
}

// TestCaddyRefusedConfigurationChangesNothing: the running one goes on, with
// its claims and its limits, and the error says what is wrong.
func TestCaddyRefusedConfigurationChangesNothing(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	limit := func(n int) string {
		return fmt.Sprintf("webhook {\nstore memory {\nmax_claims %d\n}\n}", n)
	}
	s.load(t, limit(100), metaGate)
	var kept []sign.Delivery
	for range 20 {
		d := meta()
		s.send(t, d).want(t, 200)
		kept = append(kept, d)
	}
	for name, c := range refused {
		err := s.tryLoad(t, limit(1), c.directives+"\nreverse_proxy BACKEND")
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error holds the secret", name)
		}
	}
	// This one is good, but its other port is taken: it starts halfway.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	text := s.caddyfile(limit(1), metaGate) + fmt.Sprintf("http://:%d {\nbind 127.0.0.1\n}\n", taken.Addr().(*net.TCPAddr).Port)
	if err := s.Load(t, "text/caddyfile", text); err == nil {
		t.Error("a configuration whose port is taken was loaded")
	}
	for _, d := range kept {
		s.send(t, d).wantDuplicate(t)
	}
	backend.take()
	s.load(t, limit(5), metaGate)
	s.send(t, meta()).want(t, 200)
	if n := s.metric(t, `hookward_claims_max{store="memory"}`); n != 5 {
		t.Errorf("after a good load max_claims is %v, want 5", n)
	}
}

// TestCaddyUnknownKey: Caddy's JSON is as strict as the Caddyfile.
func TestCaddyUnknownKey(t *testing.T) {
	t.Parallel()
	s := newSite(t, &recorder{})
	for gate, says := range map[string]string{
		`"provider":"meta","secrets":["{env.SECRET}"],"max_boddy":"1MiB"`:                                     "max_boddy",
		`"provider":"meta","secrets":["{env.SECRET}"],"replay":{"store":{"module":"memory","max_klaims":1}}`:  "max_klaims",
		`"provider":"meta","secrets":["{env.SECRET}"],"replay":{"store":{"module":"paper"}}`:                  "http.webhook.stores.paper",
		`"provider":"meta","secrets":["{env.SECRET}"],"replay":{"store":{}}`:                                  `replay.store: module: is missing`,
		`"provider":"meta","secrets":["{env.SECRET}"],"replay":{"store":{"module":"memory","max_claims":-1}}`: "max_claims",
		`"provider":"meta","name":"inbox","secrets":["{env.NOT_SET}"],"max_body":"0","output":"cloudy"`:       `webhook gate \"inbox\"`,
		`"provider":"meta","secrets":["literal-secret-value"],"max_body":"0"`:                                 "max_body",
	} {
		config := fmt.Sprintf(`{"admin":{"listen":%q,"config":{"persist":false}},"apps":{"http":{"servers":{"s":{"listen":[%q],"routes":[{"handle":[{"handler":"verify_webhook",%s}]}]}}}}}`,
			s.Admin, s.Address, gate)
		err := s.Load(t, "application/json", config)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an error with %q", gate, err, says)
		}
		if err != nil && strings.Contains(err.Error(), "literal-secret-value") {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}

// TestCaddyValidateBesideTheServer: caddy validate, adapt and fmt work while
// the same configuration runs, and touch nothing of it.
func TestCaddyValidateBesideTheServer(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	file := filepath.Join(t.TempDir(), "Caddyfile")
	text := s.caddyfile("webhook {\nstore memory {\nmax_claims 10\n}\n}", metaGate)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t, "text/caddyfile", text); err != nil {
		t.Fatal(err)
	}
	d := meta()
	s.send(t, d).want(t, 200)
	for _, args := range [][]string{
		{"fmt", "--overwrite", file}, {"fmt", "--diff", file}, {"validate", "--config", file}, {"adapt", "--config", file, "--validate"},
	} {
		if out, err := caddyCommand(t, args...); err != nil {
			t.Errorf("caddy %s: %v\n%s", strings.Join(args, " "), err, out)
		} else if strings.Contains(out, secret) {
			t.Errorf("caddy %s prints the secret", args[0])
		}
	}
	out, err := caddyCommand(t, "list-modules")
	for _, module := range []string{"http.handlers.verify_webhook", "http.handlers.webhook_strip", "http.webhook.stores.memory", "webhook"} {
		if err != nil || !strings.Contains(out, "\n"+module+"\n") {
			t.Errorf("caddy list-modules does not list %s (%v)", module, err)
		}
	}
	s.send(t, d).wantDuplicate(t)
	backend.one(t)
}

func caddyCommand(t *testing.T, args ...string) (string, error) {
	cmd := exec.CommandContext(t.Context(), hosts.CaddyBinary(t), args...)
	cmd.Env = append(os.Environ(), "SECRET="+secret, "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestCaddySecretsStayPlaceholders: the admin API shows them as they were
// written.
func TestCaddySecretsStayPlaceholders(t *testing.T) {
	t.Parallel()
	s := siteWith(t, &recorder{}, metaGate)
	resp, err := http.Get("http://" + s.Admin + "/config/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	config, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(config), "{env.SECRET}") || strings.Contains(string(config), secret) {
		t.Errorf("the admin API shows %s", config)
	}
}
