package bridge

// The SDK's metrics panic with words made by fmt, which with the reflection
// behind it is a tenth of a module; and they can't set a gauge. A metric that
// the host refuses is not worth more than its loss.

// MetricKind is what a metric is.
type MetricKind uint32

// The kinds of metrics.
const (
	Counter MetricKind = iota
	Gauge
)
