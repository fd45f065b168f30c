package storetest

import (
	"context"
	"time"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/core"
)

// Disturbed is a store to which something happens before every call, which then
// goes to the store that is there by then.
type Disturbed func() stores.Store

// Claim implements stores.Store.
func (d Disturbed) Claim(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration, states []core.State) error {
	return d().Claim(ctx, token, keys, lease, states)
}

// Commit implements stores.Store.
func (d Disturbed) Commit(ctx context.Context, token core.Token, keys []core.Key, window time.Duration) error {
	return d().Commit(ctx, token, keys, window)
}

// Release implements stores.Store.
func (d Disturbed) Release(ctx context.Context, token core.Token, keys []core.Key) error {
	return d().Release(ctx, token, keys)
}

// Renew implements stores.Store.
func (d Disturbed) Renew(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration) error {
	return d().Renew(ctx, token, keys, lease)
}
