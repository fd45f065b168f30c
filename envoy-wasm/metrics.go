package main

import (
	"slices"
	"strconv"
	"time"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/unified"
	"github.com/hookward/hookward/envoy-wasm/bridge"
	"github.com/hookward/hookward/envoy-wasm/shared"
)

// Envoy's statistics have no labels in wasm: a name carries them as
// hookward_x;name=a;code=ok, and stats_tags in the bootstrap take them out
// again. Labels come from the configuration and from fixed words alone. What is
// counted is written to Envoy with the next tick.

// metric is one counter or gauge, and what Envoy does not know of it yet.
type metric struct {
	name    string
	kind    bridge.MetricKind
	pending int64
	id      uint32 // 0 as long as Envoy does not know it
}

func (m *metric) add(n int64) { m.pending += n }

func (m *metric) flush() {
	if m.pending == 0 {
		return
	}
	n := m.pending
	m.pending = 0
	if m.id == 0 {
		m.id = bridge.DefineMetric(m.kind, m.name)
	}
	bridge.IncrementMetric(m.id, n)
}

// registry is all metrics of a configuration.
type registry struct {
	metrics []*metric
	levels  []*level
	stores  []*storeMetrics
}

func (r *registry) counter(name string) *metric {
	return r.add(&metric{name: name, kind: bridge.Counter})
}
func (r *registry) gauge(name string) *metric { return r.add(&metric{name: name, kind: bridge.Gauge}) }

func (r *registry) add(m *metric) *metric {
	r.metrics = append(r.metrics, m)
	return m
}

func (r *registry) flush() {
	for _, s := range r.stores {
		s.collect()
	}
	for _, m := range r.metrics {
		m.flush()
	}
	for _, l := range r.levels {
		l.flush()
	}
}

// level is a gauge that is set and not added to.
type level struct {
	name  string
	value uint64
	dirty bool
	id    uint32
}

func (r *registry) level(name string) *level {
	l := &level{name: name}
	r.levels = append(r.levels, l)
	return l
}

func (l *level) set(value uint64) { l.value, l.dirty = value, true }

func (l *level) flush() {
	if !l.dirty {
		return
	}
	if l.id == 0 {
		l.id = bridge.DefineMetric(bridge.Gauge, l.name)
	}
	bridge.SetMetric(l.id, l.value)
	l.dirty = false
}

// storeMetrics are a store's.
type storeMetrics struct {
	store         *shared.Store
	held, evicted *metric
	max           *level
	maxClaims     int
}

func (r *registry) addStore(maxClaims int) *shared.Store {
	m := &storeMetrics{
		store: shared.New(envoyData{}, maxClaims), maxClaims: maxClaims,
		held:    r.gauge("hookward_claims;store=shared"),
		evicted: r.counter("hookward_claims_evicted_total;store=shared"),
		max:     r.level("hookward_claims_max;store=shared"),
	}
	r.stores = append(r.stores, m)
	return m.store
}

func (m *storeMetrics) collect() {
	if m.store.Held != 0 {
		m.max.set(uint64(m.maxClaims))
	}
	m.held.add(m.store.Held)
	m.evicted.add(m.store.Evicted)
	m.store.Held, m.store.Evicted = 0, 0
}

// gateMetrics are a gate's. Those that depend on a verdict are looked for in
// short lists, the usual ones first.
type gateMetrics struct {
	registry     *registry
	labels       string
	provider     string
	deliveries   []delivery
	events       []labelled
	backends     [len(statusClasses)]*metric
	secrets      []*metric
	replayErrors *metric
	inFlight     *metric
	last         *level
}

type delivery struct {
	outcome core.Outcome
	code    core.Code
	*metric
}

type labelled struct {
	value string
	*metric
}

func newGateMetrics(r *registry, rt *route) gateMetrics {
	m := gateMetrics{registry: r, labels: ";name=" + rt.gate.Name(), provider: rt.gate.Provider()}
	store := "none"
	switch {
	case rt.store != nil:
		store = "shared"
	case rt.remote != nil:
		store = "http"
	}
	m.replayErrors = r.counter("hookward_replay_errors_total" + m.labels + ";store=" + store)
	m.inFlight = r.gauge("hookward_in_flight" + m.labels)
	m.last = r.level("hookward_last_delivery_timestamp_seconds" + m.labels)
	return m
}

func (m *gateMetrics) verdict(v *core.Verdict, start time.Time) {
	m.delivery(v.Outcome, v.Code).add(1)
	for _, t := range v.Types {
		m.event(t).add(1)
	}
	if v.Secret >= 0 {
		m.secret(v.Secret).add(1)
		m.last.set(uint64(start.Unix()))
	}
}

func (m *gateMetrics) delivery(outcome core.Outcome, code core.Code) *metric {
	for i := range m.deliveries {
		if d := &m.deliveries[i]; d.outcome == outcome && d.code == code {
			return d.metric
		}
	}
	name := "hookward_deliveries_total" + m.labels + ";provider=" + m.provider + ";verdict=" + string(outcome)
	if code != "" {
		name += ";code=" + string(code)
	}
	d := delivery{outcome, code, m.registry.counter(name)}
	m.deliveries = append(m.deliveries, d)
	return d.metric
}

func (m *gateMetrics) event(t string) *metric {
	for i := range m.events {
		if m.events[i].value == t {
			return m.events[i].metric
		}
	}
	const other = "other"
	if t != other && !slices.Contains(unified.Types[:], t) {
		return m.event(other)
	}
	e := labelled{t, m.registry.counter("hookward_events_total" + m.labels + ";type=" + t)}
	m.events = append(m.events, e)
	return e.metric
}

func (m *gateMetrics) secret(index int) *metric {
	for i := len(m.secrets); i <= index; i++ {
		m.secrets = append(m.secrets, m.registry.counter("hookward_secret_matches_total"+m.labels+";index="+strconv.Itoa(i)))
	}
	return m.secrets[index]
}

var statusClasses = [...]string{0: "none", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}

func (m *gateMetrics) backend(status int) {
	class := status / 100
	if class >= len(statusClasses) || statusClasses[class] == "" {
		class = 0
	}
	if m.backends[class] == nil {
		m.backends[class] = m.registry.counter("hookward_backend_responses_total" + m.labels + ";class=" + statusClasses[class])
	}
	m.backends[class].add(1)
}
