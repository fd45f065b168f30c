package main

import (
	"slices"
	"time"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/httpstore"
)

// remote is a store that is asked over HTTP, by one worker. It answers by
// call-back: see asking.go for the claims. What settles them is only noted by
// their stream, since the SDK drops a call-back whose stream has gone, and sent
// from the next tick.
type remote struct {
	plugin *plugin
	config core.HTTPStore
	client *httpstore.Client
	owed   httpstore.Owed
	batch  core.Token // names the settlements that are on their way
	body   []byte     // memory, used again
}

func newRemote(p *plugin, c core.HTTPStore) *remote {
	return &remote{plugin: p, config: c, client: httpstore.New(c)}
}

// call sends a command. Its answer comes to the context that is active now, or
// to nobody if that is a stream and has gone.
func (r *remote) call(body []byte, timeout time.Duration, answered func(status string, body []byte)) error {
	r.body = body
	_, err := proxywasm.DispatchHttpCall(r.config.Cluster, r.client.Header(), body, nil, uint32(timeout.Milliseconds()),
		func(headers, size, _ int) { answered(callAnswer(headers, size)) })
	return err
}

// callAnswer is the answer to a call, without a status if there is none.
func callAnswer(headers, size int) (status string, body []byte) {
	if headers == 0 {
		return "", nil
	}
	fields, err := proxywasm.GetHttpCallResponseHeaders()
	if err != nil {
		return "", nil
	}
	if size > 0 {
		if body, err = proxywasm.GetHttpCallResponseBody(0, size); err != nil {
			return "", nil
		}
	}
	return header(fields).first(":status"), body
}

// owe notes what is to be settled with every key.
func (r *remote) owe(x httpstore.Settlement, keys []core.Key) {
	for _, key := range keys {
		if x.Key = key; !r.owed.Add(x) {
			r.lost(x, "too many others are owed")
		}
	}
	r.wake(time.Now())
}

// wake sees to a tick when there is something to send.
func (r *remote) wake(now time.Time) {
	if wait, any := r.owed.Wait(now); any {
		r.plugin.pace.within(wait)
	}
}

// send sends the next batch, if it is time for one. It must be called where
// the plugin is the active context, and not one of its streams.
func (r *remote) send(now time.Time) {
	batch, expired, due := r.owed.Next(now)
	for _, x := range expired {
		r.lost(x, "the server gave no answer for too long")
	}
	if !due {
		return
	}
	r.batch = newToken()
	body := r.client.AppendSettle(r.body[:0], r.batch, batch)
	if err := r.call(body, max(r.config.Timeout, patience), r.settled); err != nil {
		r.unsettled(err)
	}
}

// patience is how long a settlement waits, for which no request does.
const patience = time.Second

// settled takes the answer to a batch, and sends the next.
func (r *remote) settled(status string, body []byte) {
	defer recoverIn("the answer to a settlement")
	if err := r.client.ReadSettle(r.batch, status, body); err != nil {
		r.unsettled(err)
		return
	}
	now := time.Now()
	if r.owed.Settled(now) {
		logWarn("replay store answers again", field("cluster", r.config.Cluster))
	}
	r.send(now)
	r.wake(now)
}

func (r *remote) unsettled(err error) {
	now := time.Now()
	for _, x := range r.owed.Unsettled(now) {
		r.failed(x, "replay store failed, this is repeated", err.Error())
	}
	r.wake(now)
}

// lost tells of a settlement that never will be: the lease decides.
func (r *remote) lost(x httpstore.Settlement, why string) {
	if x.Failed || x.Op == httpstore.Renew {
		return
	}
	r.failed(x, "replay store failed, the lease decides", why)
}

func (r *remote) failed(x httpstore.Settlement, what, why string) {
	route := r.plugin.routes[x.Owner]
	route.metrics.replayErrors.add(1)
	if _, ok := route.failures.Lets(core.ReplayStoreUnavailable, time.Now()); ok {
		logError(what, append(route.fields(), field("op", x.Op.String()), field("error", why))...)
	}
}

// trip stops asking until the server has answered again.
func (r *remote) trip(err error) {
	now := time.Now()
	if r.owed.Trip(now) {
		logWarn("replay store gives no answer: claims are refused at once until it does", field("cluster", r.config.Cluster), field("error", err.Error()))
	}
	r.wake(now)
}

// idle says that nothing is owed and nothing on its way.
func (r *remote) idle() bool { return r.owed.Len() == 0 && !r.owed.Busy() }

func (p *plugin) remotesIdle() bool {
	return !slices.ContainsFunc(p.remotes, func(r *remote) bool { return !r.idle() })
}

func recoverIn(what string) {
	if r := recover(); r != nil {
		logError("panic in "+what, field("panic", panicText(r)))
	}
}
