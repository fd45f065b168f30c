package core

import "github.com/hookward/hookward/core/internal/jsondoc"

// MarshalJSON is the opposite of what ParseConfig reads: an object, or "off".
func (r *ReplayConfig) MarshalJSON() ([]byte, error) {
	if r.Off {
		return []byte(`"off"`), nil
	}
	b := []byte{'{'}
	member := func(key string) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(jsondoc.AppendString(b, key), ':')
	}
	for _, m := range [][2]string{{"window", r.Window}, {"lease", r.Lease}, {"on_error", r.OnError}} {
		if m[1] != "" {
			member(m[0])
			b = jsondoc.AppendString(b, m[1])
		}
	}
	if r.Store != "" {
		member("store")
		b = append(b, r.Store...)
	}
	return append(b, '}'), nil
}
