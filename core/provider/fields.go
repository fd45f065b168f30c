package provider

import "github.com/hookward/hookward/core/internal/jsondoc"

// firstObject is the first member of these names that is an object.
func firstObject(v jsondoc.Value, names ...string) jsondoc.Value {
	for _, name := range names {
		if m := v.Get(name); m.Kind() == jsondoc.Object {
			return m
		}
	}
	return jsondoc.Value{}
}
