// Package responsebody exports the call-backs for an answer's body and trailers,
// for the package bridge. A filter that has them imports it for that effect; to
// all others Envoy hands the body of no answer.
package responsebody
