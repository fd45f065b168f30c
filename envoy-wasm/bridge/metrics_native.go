//go:build !wasip1

package bridge

import "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"

// DefineMetric makes a metric known to the SDK's fake host.
func DefineMetric(kind MetricKind, name string) (id uint32) {
	if kind == Gauge {
		return uint32(proxywasm.DefineGaugeMetric(name))
	}
	return uint32(proxywasm.DefineCounterMetric(name))
}

// IncrementMetric adds to a metric.
func IncrementMetric(id uint32, n int64) { proxywasm.MetricGauge(id).Add(n) }

// SetMetric sets a gauge.
func SetMetric(id uint32, value uint64) { proxywasm.MetricHistogram(id).Record(value) }
