package bridge

// Random fills p with secure random bytes and reports whether it could; if not, p must not be used.
//
// It asks the host directly because crypto/rand starts a timer, and the package comment says what comes of that.
// Envoy answers at most 64 KiB at once.
func Random(p []byte) bool {
	if len(p) == 0 {
		return true
	}
	return wasiRandomGet(&p[0], uint32(len(p))) == 0
}

//go:wasmimport wasi_snapshot_preview1 random_get
//go:noescape
func wasiRandomGet(data *byte, size uint32) uint32
