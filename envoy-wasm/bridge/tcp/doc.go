// Package tcp exports the call-backs of network filters, for the package bridge.
// A filter that has them imports it for that effect.
package tcp
