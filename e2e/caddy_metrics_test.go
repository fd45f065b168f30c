package e2e

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hookward/hookward/e2e/sign"
)

// metrics is what the admin API's /metrics says, by name and labels.
func (s *caddySite) metrics(t *testing.T, url string) map[string]float64 {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s: %d %s", url, resp.StatusCode, text)
	}
	all := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if i := strings.LastIndexByte(lines.Text(), ' '); i > 0 && lines.Text()[0] != '#' {
			if value, err := strconv.ParseFloat(lines.Text()[i+1:], 64); err == nil {
				all[lines.Text()[:i]] = value
			}
		}
	}
	return all
}

func (s *caddySite) metric(t *testing.T, name string) float64 {
	t.Helper()
	return s.metrics(t, "http://"+s.Admin+"/metrics")[name]
}

// TestCaddyMetrics: every metric of the design, on the admin API and by the
// directive metrics, before and after a reload.
func TestCaddyMetrics(t *testing.T) {
	t.Parallel()
	working, finish := make(chan struct{}), make(chan struct{})
	backend := &recorder{}
	s := newSite(t, backend)
	config := strings.Replace(metaGate, "meta {", "/hook meta {", 1) + "\nhandle /metrics {\nmetrics\n}"
	s.load(t, "", config)
	d := meta()
	s.send(t, d).want(t, 200)
	s.send(t, d).wantDuplicate(t)
	forged := meta()
	forged.Sign("meta", "another secret", "")
	s.send(t, forged).want(t, 401)
	backend.will(status(500))
	s.send(t, meta()).want(t, 500)
	backend.will(func(http.ResponseWriter, *http.Request) { close(working); <-finish })
	var sender sync.WaitGroup
	sender.Go(func() { s.send(t, meta()).want(t, 200) })
	<-working
	want := map[string]float64{
		`hookward_deliveries_total{code="",name="meta",provider="meta",verdict="accepted"}`:                   3,
		`hookward_deliveries_total{code="",name="meta",provider="meta",verdict="duplicate"}`:                  1,
		`hookward_deliveries_total{code="signature_mismatch",name="meta",provider="meta",verdict="rejected"}`: 1,
		`hookward_events_total{name="meta",type="message.received"}`:                                          3,
		`hookward_backend_responses_total{class="2xx",name="meta"}`:                                           1,
		`hookward_backend_responses_total{class="5xx",name="meta"}`:                                           1,
		`hookward_secret_matches_total{index="0",name="meta"}`:                                                4,
		`hookward_replay_errors_total{name="meta",store="memory"}`:                                            0,
		`hookward_claims{store="memory"}`:                                                                     2,
		`hookward_claims_max{store="memory"}`:                                                                 1e6,
		`hookward_claims_evicted_total{store="memory"}`:                                                       0,
		`hookward_in_flight{name="meta"}`:                                                                     1,
		`hookward_gate_duration_seconds_count{name="meta"}`:                                                   5,
		`hookward_store_duration_seconds_count{op="claim",store="memory"}`:                                    4,
		`hookward_store_duration_seconds_count{op="commit",store="memory"}`:                                   1,
		`hookward_store_duration_seconds_count{op="release",store="memory"}`:                                  1,
	}
	check := func(url string) {
		t.Helper()
		got := s.metrics(t, url)
		for name, value := range want {
			if v, ok := got[name]; !ok || v != value {
				t.Errorf("%s: %s is %v (there: %v), want %v", url, name, v, ok, value)
			}
		}
		if got[`hookward_last_delivery_timestamp_seconds{name="meta"}`] < 1.7e9 {
			t.Errorf("%s: no time of the last delivery", url)
		}
	}
	check("http://" + s.Admin + "/metrics")
	check("http://" + s.Address + "/metrics")
	close(finish)
	sender.Wait()
	want[`hookward_in_flight{name="meta"}`] = 0
	want[`hookward_backend_responses_total{class="2xx",name="meta"}`] = 2
	want[`hookward_store_duration_seconds_count{op="commit",store="memory"}`] = 2
	s.load(t, "", "header X-Loaded twice\n"+config)
	check("http://" + s.Admin + "/metrics")
}

// TestCaddyMetricsOfStores: each store has its own numbers.
func TestCaddyMetricsOfStores(t *testing.T) {
	t.Parallel()
	s := siteWith(t, &recorder{}, `
		verify_webhook /hook meta {
			secret {env.SECRET}
			replay {
				store memory small {
					max_claims 2
				}
			}
		}
		verify_webhook /zavu zavu {
			secret {env.SECRET}
		}
		reverse_proxy BACKEND`)
	for range 5 {
		s.send(t, meta()).want(t, 200)
		s.send(t, sign.New("zavu", secret, "", "/zavu")).want(t, 200)
	}
	for name, want := range map[string]float64{
		`hookward_claims{store="memory small"}`:               2,
		`hookward_claims_max{store="memory small"}`:           2,
		`hookward_claims_evicted_total{store="memory small"}`: 3,
		`hookward_claims{store="memory"}`:                     5,
		`hookward_claims_max{store="memory"}`:                 1e6,
	} {
		if got := s.metric(t, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}
