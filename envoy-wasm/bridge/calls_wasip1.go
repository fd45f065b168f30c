package bridge

// envoy is the host that runs the module. Its methods convert between what the SDK gives and what the
// imports take: an int becomes a uint32, and an answer comes by way of memory lent to the host. A number
// has the width of the import's own type on both sides, and goes straight through.
type envoy struct{}

func (*envoy) ProxyLog(level uint32, message *byte, messageSize int) uint32 {
	return proxyLog(level, message, uint32(messageSize))
}

func (*envoy) ProxyGetProperty(path *byte, pathSize int, value **byte, valueSize *int) uint32 {
	a := newAnswer()
	status := proxyGetProperty(path, uint32(pathSize), &a.data, &a.size)
	return a.take(status, value, valueSize)
}

func (*envoy) ProxySetProperty(path *byte, pathSize int, value *byte, valueSize int) uint32 {
	return proxySetProperty(path, uint32(pathSize), value, uint32(valueSize))
}

func (*envoy) ProxyGetHeaderMapPairs(kind uint32, pairs **byte, pairsSize *int) uint32 {
	a := newAnswer()
	status := proxyGetHeaderMapPairs(kind, &a.data, &a.size)
	return a.take(status, pairs, pairsSize)
}

func (*envoy) ProxySetHeaderMapPairs(kind uint32, pairs *byte, pairsSize int) uint32 {
	return proxySetHeaderMapPairs(kind, pairs, uint32(pairsSize))
}

func (*envoy) ProxyGetHeaderMapValue(kind uint32, key *byte, keySize int, value **byte, valueSize *int) uint32 {
	a := newAnswer()
	status := proxyGetHeaderMapValue(kind, key, uint32(keySize), &a.data, &a.size)
	return a.take(status, value, valueSize)
}

func (*envoy) ProxyAddHeaderMapValue(kind uint32, key *byte, keySize int, value *byte, valueSize int) uint32 {
	return proxyAddHeaderMapValue(kind, key, uint32(keySize), value, uint32(valueSize))
}

func (*envoy) ProxyReplaceHeaderMapValue(kind uint32, key *byte, keySize int, value *byte, valueSize int) uint32 {
	return proxyReplaceHeaderMapValue(kind, key, uint32(keySize), value, uint32(valueSize))
}

func (*envoy) ProxyRemoveHeaderMapValue(kind uint32, key *byte, keySize int) uint32 {
	return proxyRemoveHeaderMapValue(kind, key, uint32(keySize))
}

func (*envoy) ProxyGetBufferBytes(kind uint32, start, length int, data **byte, size *int) uint32 {
	a := newAnswer()
	status := proxyGetBufferBytes(kind, uint32(start), uint32(length), &a.data, &a.size)
	return a.take(status, data, size)
}

func (*envoy) ProxySetBufferBytes(kind uint32, start, length int, data *byte, size int) uint32 {
	return proxySetBufferBytes(kind, uint32(start), uint32(length), data, uint32(size))
}

func (*envoy) ProxyContinueStream(stream uint32) uint32 {
	return proxyContinueStream(stream)
}

func (*envoy) ProxyCloseStream(stream uint32) uint32 {
	return proxyCloseStream(stream)
}

func (*envoy) ProxySendLocalResponse(code uint32, details *byte, detailsSize int, body *byte, bodySize int, headers *byte, headersSize int, grpcStatus int32) uint32 {
	return proxySendLocalResponse(code, details, uint32(detailsSize), body, uint32(bodySize), headers, uint32(headersSize), grpcStatus)
}

func (*envoy) ProxyHttpCall(upstream *byte, upstreamSize int, headers *byte, headersSize int, body *byte, bodySize int, trailers *byte, trailersSize int, timeout uint32, call *uint32) uint32 {
	return proxyHTTPCall(upstream, uint32(upstreamSize), headers, uint32(headersSize), body, uint32(bodySize), trailers, uint32(trailersSize), timeout, call)
}

func (*envoy) ProxyCallForeignFunction(name *byte, nameSize int, param *byte, paramSize int, result **byte, resultSize *int) uint32 {
	a := newAnswer()
	status := proxyCallForeignFunction(name, uint32(nameSize), param, uint32(paramSize), &a.data, &a.size)
	return a.take(status, result, resultSize)
}

func (*envoy) ProxyGetSharedData(key *byte, keySize int, value **byte, valueSize *int, cas *uint32) uint32 {
	a := newAnswer()
	status := proxyGetSharedData(key, uint32(keySize), &a.data, &a.size, cas)
	return a.take(status, value, valueSize)
}

func (*envoy) ProxySetSharedData(key *byte, keySize int, value *byte, valueSize int, cas uint32) uint32 {
	return proxySetSharedData(key, uint32(keySize), value, uint32(valueSize), cas)
}

func (*envoy) ProxyRegisterSharedQueue(name *byte, nameSize int, queue *uint32) uint32 {
	return proxyRegisterSharedQueue(name, uint32(nameSize), queue)
}

func (*envoy) ProxyResolveSharedQueue(vm *byte, vmSize int, name *byte, nameSize int, queue *uint32) uint32 {
	return proxyResolveSharedQueue(vm, uint32(vmSize), name, uint32(nameSize), queue)
}

func (*envoy) ProxyEnqueueSharedQueue(queue uint32, value *byte, valueSize int) uint32 {
	return proxyEnqueueSharedQueue(queue, value, uint32(valueSize))
}

func (*envoy) ProxyDequeueSharedQueue(queue uint32, value **byte, valueSize *int) uint32 {
	a := newAnswer()
	status := proxyDequeueSharedQueue(queue, &a.data, &a.size)
	return a.take(status, value, valueSize)
}

func (*envoy) ProxyDefineMetric(kind uint32, name *byte, nameSize int, metric *uint32) uint32 {
	return proxyDefineMetric(kind, name, uint32(nameSize), metric)
}

func (*envoy) ProxyIncrementMetric(metric uint32, offset int64) uint32 {
	return proxyIncrementMetric(metric, offset)
}

func (*envoy) ProxyRecordMetric(metric uint32, value uint64) uint32 {
	return proxyRecordMetric(metric, value)
}

func (*envoy) ProxyGetMetric(metric uint32, value *uint64) uint32 {
	return proxyGetMetric(metric, value)
}

func (*envoy) ProxySetTickPeriodMilliseconds(period uint32) uint32 {
	return proxySetTickPeriodMilliseconds(period)
}

func (*envoy) ProxySetEffectiveContext(context uint32) uint32 {
	return proxySetEffectiveContext(context)
}

func (*envoy) ProxyDone() uint32 {
	return proxyDone()
}
