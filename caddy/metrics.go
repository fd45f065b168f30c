package hookward

import (
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/unified"
)

// The metrics are made once for the process and registered with the registry of
// every configuration, so that counters survive reloads. Labels come from the
// configuration and from fixed words alone.
var (
	deliveriesTotal = counter("deliveries_total", "Requests by verdict and code.", "name", "provider", "verdict", "code")
	eventsTotal     = counter("events_total", "Events forwarded, by type.", "name", "type")
	backendTotal    = counter("backend_responses_total", "Backend answers by class of status.", "name", "class")
	secretsTotal    = counter("secret_matches_total", "Authentic requests by the index of the secret that matched.", "name", "index")
	replayErrors    = counter("replay_errors_total", "Failed operations of a replay store.", "name", "store")
	lastDelivery    = gauge("last_delivery_timestamp_seconds", "When the last authentic request came.", "name")
	inFlight        = gauge("in_flight", "Requests in the gate or behind it.", "name")
	gateDuration    = histogram("gate_duration_seconds", "Time in the gate, the backend's not counted.", "name")
	storeDuration   = histogram("store_duration_seconds", "Time for one operation of a replay store.", "store", "op")
	collectors      = []prometheus.Collector{
		deliveriesTotal, eventsTotal, backendTotal, secretsTotal, replayErrors,
		lastDelivery, inFlight, gateDuration, storeDuration, storeSizes{},
	}
)

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "hookward", Name: name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "hookward", Name: name, Help: help}, labels)
}

func histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "hookward", Name: name, Help: help,
		Buckets: []float64{5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 5e-3, 2.5e-2, 0.1, 1},
	}, labels)
}

// storeSizes asks the open stores themselves whenever the metrics are read.
type storeSizes struct{}

// sizedStore is a store that knows how many claims it holds.
type sizedStore interface {
	Len() int
	Limit() int
	Evicted() uint64
}

var (
	claimsHeld   = storeDesc("claims", "Claims held.")
	claimsMax    = storeDesc("claims_max", "Claims that may be held.")
	evictedTotal = storeDesc("claims_evicted_total", "Done claims given up before their window ended.")
)

func storeDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("hookward_"+name, help, []string{"store"}, nil)
}

// Describe implements prometheus.Collector.
func (storeSizes) Describe(ch chan<- *prometheus.Desc) {
	ch <- claimsHeld
	ch <- claimsMax
	ch <- evictedTotal
}

// Collect implements prometheus.Collector.
func (storeSizes) Collect(ch chan<- prometheus.Metric) {
	openStores.Range(func(_, value any) bool {
		open := value.(*openStore)
		if s, ok := open.OpenStore.(sizedStore); ok {
			ch <- prometheus.MustNewConstMetric(claimsHeld, prometheus.GaugeValue, float64(s.Len()), open.label)
			ch <- prometheus.MustNewConstMetric(claimsMax, prometheus.GaugeValue, float64(s.Limit()), open.label)
			ch <- prometheus.MustNewConstMetric(evictedTotal, prometheus.CounterValue, float64(s.Evicted()), open.label)
		}
		return true
	})
}

// storeOp is an operation of a store, in metrics and logs.
type storeOp string

const (
	opClaim   storeOp = "claim"
	opCommit  storeOp = "commit"
	opRelease storeOp = "release"
	opRenew   storeOp = "renew"
)

// gateMetrics are one gate's, with what hardly ever changes looked up.
type gateMetrics struct {
	name, provider string
	inFlight, last prometheus.Gauge
	replayErrors   prometheus.Counter
	duration       prometheus.Observer
	store          map[storeOp]prometheus.Observer

	// By a small number: the type's in unified.Types, the secret's, the class's.
	accepted, events, secrets, classes *lazyCounters
}

func newGateMetrics(gate *core.Gate, secrets int, store *storeHandle) *gateMetrics {
	name := gate.Name()
	m := &gateMetrics{
		name: name, provider: gate.Provider(),
		inFlight: inFlight.WithLabelValues(name),
		last:     lastDelivery.WithLabelValues(name),
		duration: gateDuration.WithLabelValues(name),
	}
	m.accepted = newLazyCounters(1, func(int) prometheus.Counter {
		return deliveriesTotal.WithLabelValues(name, m.provider, string(core.Accepted), "")
	})
	m.events = newLazyCounters(len(unified.Types)+1, func(i int) prometheus.Counter {
		if i == 0 {
			return eventsTotal.WithLabelValues(name, "other")
		}
		return eventsTotal.WithLabelValues(name, unified.Types[i-1])
	})
	m.secrets = newLazyCounters(secrets, func(i int) prometheus.Counter {
		return secretsTotal.WithLabelValues(name, strconv.Itoa(i))
	})
	m.classes = newLazyCounters(len(statusClasses), func(i int) prometheus.Counter {
		return backendTotal.WithLabelValues(name, statusClasses[i])
	})
	if store != nil {
		label := store.label()
		m.replayErrors = replayErrors.WithLabelValues(name, label)
		m.store = map[storeOp]prometheus.Observer{}
		for _, op := range []storeOp{opClaim, opCommit, opRelease, opRenew} {
			m.store[op] = storeDuration.WithLabelValues(label, string(op))
		}
	}
	return m
}

func (m *gateMetrics) verdict(v *core.Verdict, start time.Time, took time.Duration) {
	if v.Outcome == core.Accepted && v.Code == "" {
		m.accepted.inc(0)
	} else {
		deliveriesTotal.WithLabelValues(m.name, m.provider, string(v.Outcome), string(v.Code)).Inc()
	}
	for _, t := range v.Types {
		m.events.inc(slices.Index(unified.Types[:], t) + 1)
	}
	if v.Secret >= 0 {
		m.secrets.inc(v.Secret)
		m.last.Set(float64(start.UnixMilli()) / 1e3)
	}
	m.duration.Observe(took.Seconds())
}

var statusClasses = [...]string{0: "none", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}

func (m *gateMetrics) backend(status int) {
	class := status / 100
	if class < 2 || class >= len(statusClasses) {
		class = 0
	}
	m.classes.inc(class)
}

func (m *gateMetrics) storeTook(op storeOp, start time.Time) {
	m.store[op].Observe(time.Since(start).Seconds())
}

// lazyCounters are counters of one vector, by a small number. Each is looked up
// at its first use and no more: what has never been counted is not shown.
type lazyCounters struct {
	known []atomic.Pointer[prometheus.Counter]
	find  func(i int) prometheus.Counter
}

func newLazyCounters(n int, find func(i int) prometheus.Counter) *lazyCounters {
	return &lazyCounters{make([]atomic.Pointer[prometheus.Counter], n), find}
}

func (l *lazyCounters) inc(i int) {
	c := l.known[i].Load()
	if c == nil {
		found := l.find(i)
		c = &found
		l.known[i].Store(c)
	}
	(*c).Inc()
}
