package bridge

// LogsDebug reports whether the host keeps what is logged at debug. Asking costs a host call: remember the answer for a while.
func LogsDebug() bool {
	const debug = 1
	var level uint32
	return proxyGetLogLevel(&level) == 0 && level <= debug
}

//go:wasmimport env proxy_get_log_level
func proxyGetLogLevel(level *uint32) uint32
