package main

import (
	"github.com/hookward/hookward/envoy-wasm/bridge"
	"github.com/hookward/hookward/envoy-wasm/shared"
)

// envoyData is Envoy's shared data.
type envoyData struct{}

func (envoyData) Get(key string) ([]byte, uint32, error) { return bridge.SharedData(key) }

func (envoyData) Set(key string, value []byte, version uint32) (bool, error) {
	return bridge.SetSharedData(key, value, version)
}

var _ shared.Data = envoyData{}
