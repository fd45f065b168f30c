package main

import (
	"errors"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/envoy-wasm/shared"
)

// envoyData is Envoy's shared data.
type envoyData struct{}

func (envoyData) Get(key string) ([]byte, uint32, error) {
	value, version, err := proxywasm.GetSharedData(key)
	switch {
	case errors.Is(err, types.ErrorStatusNotFound):
		return nil, 0, nil
	case err == nil && value == nil:
		value = []byte{} // it is there, and empty
	}
	return value, version, err
}

func (envoyData) Set(key string, value []byte, version uint32) (bool, error) {
	err := proxywasm.SetSharedData(key, value, version)
	if errors.Is(err, types.ErrorStatusCasMismatch) {
		return false, nil
	}
	return err == nil, err
}

var _ shared.Data = envoyData{}
