package bridge

import "unsafe"

// DefineMetric makes a metric known to the host, or finds the one that it knows
// by this name. It gives 0 if the host refuses.
func DefineMetric(kind MetricKind, name string) (id uint32) {
	metric := new(uint32)
	if proxyDefineMetric(uint32(kind), unsafe.StringData(name), uint32(len(name)), metric) != statusOK {
		return 0
	}
	return *metric
}

// IncrementMetric adds to a metric.
func IncrementMetric(id uint32, n int64) { proxyIncrementMetric(id, n) }

// SetMetric sets a gauge.
func SetMetric(id uint32, value uint64) { proxyRecordMetric(id, value) }
