package hookward

import (
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/hookward/hookward/core"
)

// publish tells the verdict to everybody who may want to know: placeholders,
// metrics, logs and the events app.
func (d *delivery) publish() {
	d.took = time.Since(d.start)
	v, ctx := d.verdict, d.r.Context()
	if repl, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		repl.Map(d.placeholder)
	}
	if server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok && server.Logs != nil {
		if extra, ok := ctx.Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields); ok {
			extra.Set(zap.Object("webhook", d))
		}
	}
	d.gate.metrics.verdict(v, d.start, d.took)
	switch v.Outcome {
	case core.Rejected, core.WouldReject:
		text := "webhook rejected"
		if v.Outcome == core.WouldReject {
			text = "webhook passed that would be rejected"
		}
		if hidden, ok := d.gate.rejections.Lets(v.Code, d.start); ok {
			fields := d.fields()
			if hidden > 0 {
				fields = append(fields, zap.Int("hidden", hidden))
			}
			d.gate.log.Warn(text, fields...)
		}
		d.gate.events.emit("webhook.rejected", map[string]any{
			"name": d.gate.gate.Name(), "provider": d.gate.gate.Provider(), "code": string(v.Code), "verdict": string(v.Outcome),
		})
	default:
		if c := d.gate.log.Check(zap.DebugLevel, "webhook "+string(v.Outcome)); c != nil {
			c.Write(d.fields()...)
		}
	}
}

// placeholder is {http.webhook.*}.
func (d *delivery) placeholder(key string) (any, bool) {
	v := d.verdict
	switch key {
	case "http.webhook.name":
		return d.gate.gate.Name(), true
	case "http.webhook.provider":
		return d.gate.gate.Provider(), true
	case "http.webhook.delivery":
		return v.Delivery, true
	case "http.webhook.event":
		return v.EventWord(), true
	case "http.webhook.verdict":
		return string(v.Outcome), true
	case "http.webhook.code":
		return string(v.Code), true
	case "http.webhook.assurance":
		return v.Assurance, true
	}
	return nil, false
}

// eventEmitter emits through Caddy's events app.
type eventEmitter struct {
	ctx caddy.Context
	app *caddyevents.App
}

func newEventEmitter(ctx caddy.Context) (eventEmitter, error) {
	app, err := ctx.App("events")
	if err != nil {
		return eventEmitter{}, err
	}
	return eventEmitter{ctx, app.(*caddyevents.App)}, nil
}

// emit costs little where nobody listens.
func (e eventEmitter) emit(name string, data map[string]any) {
	if e.app.ShouldEmit(name) {
		e.app.Emit(e.ctx, name, data)
	}
}
