package main

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"

	"github.com/hookward/hookward/core"
)

// header is a request's header as Envoy gives it.
type header [][2]string

// first is the value of the first field of a name, which is in lower case as
// all of Envoy's are.
func (h header) first(name string) string {
	for i := range h {
		if h[i][0] == name {
			return h[i][1]
		}
	}
	return ""
}

// Values makes it a header that the core looks into. A single value, as almost
// all are, is given where it stands.
func (h header) Values(name string) (values []string) {
	for i := range h {
		switch {
		case !sameField(h[i][0], name):
		case values == nil:
			values = h[i][1:2:2]
		default:
			values = append(values, h[i][1])
		}
	}
	return values
}

// sameField compares a name of Envoy's, in lower case, with one in any.
func sameField(lower, name string) bool {
	if len(lower) != len(name) {
		return false
	}
	for i := range len(lower) {
		if inLowerCase(name[i]) != lower[i] {
			return false
		}
	}
	return true
}

// foldsTo compares them as backends do that take _ and . for -.
func foldsTo(lower, name string) bool {
	if len(lower) != len(name) {
		return false
	}
	for i := range len(lower) {
		c := inLowerCase(name[i])
		if c != lower[i] && (c != '-' || lower[i] != '_' && lower[i] != '.') {
			return false
		}
	}
	return true
}

func inLowerCase(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// withoutReserved leaves out the fields that only we may set.
func withoutReserved(fields [][2]string) (clean [][2]string, changed bool) {
	for i := range fields {
		if !isReserved(fields[i]) {
			continue
		}
		clean = append(clean, fields[:i]...)
		for _, f := range fields[i:] {
			if !isReserved(f) {
				clean = append(clean, f)
			}
		}
		return clean, true
	}
	return fields, false
}

// isReserved says that a field is ours, or announces a trailer that is.
func isReserved(field [2]string) bool {
	if field[0] != "trailer" {
		return core.Reserved(field[0])
	}
	for name := range strings.SplitSeq(field[1], ",") {
		if core.Reserved(strings.TrimSpace(name)) {
			return true
		}
	}
	return false
}

// rewritten is the request's header as the verdict wants it.
func (s *stream) rewritten(v *core.Verdict) [][2]string {
	fields := s.plugin.memory.rewritten[:0]
	for _, f := range s.fields {
		switch {
		case f[0] == ":method" && v.Method != "":
			f[1] = v.Method
		case f[0] == ":path" && v.Target != "":
			f[1] = v.Target
		case f[0] == "content-length" && s.replacesBody(v), gone(v, f[0]):
			continue
		case !strings.HasPrefix(f[0], ":") && v.Hides(f[1]):
			continue
		}
		fields = append(fields, f)
	}
	for _, f := range v.Set {
		fields = append(fields, [2]string{f.Name, f.Value})
	}
	if s.replacesBody(v) {
		fields = append(fields, [2]string{"content-length", strconv.Itoa(len(v.Body))})
	}
	return fields
}

// gone says that the verdict removes or replaces a field, in any spelling: Envoy
// passes on names with _ unless it is told otherwise.
func gone(v *core.Verdict, name string) bool {
	if core.Reserved(name) {
		return true
	}
	for _, removed := range v.Remove {
		if foldsTo(name, removed) {
			return true
		}
	}
	for i := range v.Set {
		if foldsTo(name, v.Set[i].Name) {
			return true
		}
	}
	return false
}

// clientAddr is the sender's address as Envoy determines it, by
// use_remote_address and xff_num_trusted_hops; the zero Addr where there is
// none, as on a unix socket.
func clientAddr() netip.Addr {
	text, err := proxywasm.GetProperty([]string{"source", "address"})
	if err != nil {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddrPort(string(text))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Addr()
}
