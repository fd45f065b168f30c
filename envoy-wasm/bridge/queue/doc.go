// Package queue exports the call-back of shared queues, for the package bridge. A
// filter that has it imports it for that effect.
package queue
