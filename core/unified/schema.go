package unified

import _ "embed"

// Schema is the JSON Schema (2020-12) of the body that backends receive. Its
// descriptions are the manual of the fields.
//
//go:embed schema.json
var Schema string
