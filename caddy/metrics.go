package hookward

import (
	"slices"
	"strconv"
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
	evictedTotal    = counter("claims_evicted_total", "Done claims given up before their window ended.", "store")
	claimsHeld      = gauge("claims", "Claims held.", "store")
	claimsMax       = gauge("claims_max", "Claims that may be held.", "store")
	lastDelivery    = gauge("last_delivery_timestamp_seconds", "When the last authentic request came.", "name")
	inFlight        = gauge("in_flight", "Requests in the gate or behind it.", "name")
	gateDuration    = histogram("gate_duration_seconds", "Time in the gate, the backend's not counted.", "name")
	storeDuration   = histogram("store_duration_seconds", "Time for one operation of a replay store.", "store", "op")
	collectors      = []prometheus.Collector{
		deliveriesTotal, eventsTotal, backendTotal, secretsTotal, replayErrors, evictedTotal,
		claimsHeld, claimsMax, lastDelivery, inFlight, gateDuration, storeDuration,
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

// gateMetrics are one gate's, with what hardly ever changes looked up.
type gateMetrics struct {
	name, provider, store string
	inFlight, last        prometheus.Gauge
	replayErrors          prometheus.Counter
	duration              prometheus.Observer
}

func newGateMetrics(gate *core.Gate, store string) *gateMetrics {
	name := gate.Name()
	return &gateMetrics{
		name: name, provider: gate.Provider(), store: store,
		inFlight:     inFlight.WithLabelValues(name),
		last:         lastDelivery.WithLabelValues(name),
		replayErrors: replayErrors.WithLabelValues(name, store),
		duration:     gateDuration.WithLabelValues(name),
	}
}

func (m *gateMetrics) verdict(v *core.Verdict, start time.Time) {
	deliveriesTotal.WithLabelValues(m.name, m.provider, string(v.Outcome), string(v.Code)).Inc()
	for _, t := range v.Types {
		if !slices.Contains(unified.Types[:], t) {
			t = "other"
		}
		eventsTotal.WithLabelValues(m.name, t).Inc()
	}
	if v.Secret >= 0 {
		secretsTotal.WithLabelValues(m.name, strconv.Itoa(v.Secret)).Inc()
		m.last.Set(float64(start.Unix()))
	}
	m.duration.Observe(time.Since(start).Seconds())
}

var statusClasses = [...]string{2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}

func (m *gateMetrics) backend(status int) {
	class := "none"
	if c := status / 100; c >= 2 && c < len(statusClasses) {
		class = statusClasses[c]
	}
	backendTotal.WithLabelValues(m.name, class).Inc()
}

func (m *gateMetrics) storeTook(op string, start time.Time) {
	storeDuration.WithLabelValues(m.store, op).Observe(time.Since(start).Seconds())
}
