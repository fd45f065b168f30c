//go:build !wasip1

package bridge

// LogsDebug reports whether the host keeps what is logged at debug. The SDK's fake host keeps everything.
func LogsDebug() bool { return true }
