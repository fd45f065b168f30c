package provider

import "github.com/hookward/hookward/core/internal/jsondoc"

// textOf is the first of these members that holds text.
func textOf(v jsondoc.Value, names ...string) string {
	for _, name := range names {
		if text := v.Get(name).Text(); text != "" {
			return text
		}
	}
	return ""
}

// firstObject is the first member of these names that is an object.
func firstObject(v jsondoc.Value, names ...string) jsondoc.Value {
	for _, name := range names {
		if m := v.Get(name); m.Kind() == jsondoc.Object {
			return m
		}
	}
	return jsondoc.Value{}
}

// jsonNumber is a number as it is written, and "" for anything else.
func jsonNumber(v jsondoc.Value) string {
	if v.Kind() != jsondoc.Number {
		return ""
	}
	return v.Raw()
}
