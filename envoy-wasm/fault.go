//go:build !faults

package main

type injected struct{}

// fault is where tests inject a panic; see fault_injected.go.
func fault(callback, *stream) {}

func faultInTick(*plugin) {}
