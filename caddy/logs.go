package hookward

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// fields are what a log line may know of the delivery: never a body, a secret,
// a message, a number or an event's id.
func (d *delivery) fields() []zap.Field {
	return append(d.known(), zap.String("instance", d.instance()))
}

// known are the fields without the instance, which Caddy makes and keeps in the
// request: only the goroutine that serves it may ask for that.
func (d *delivery) known() []zap.Field {
	g := d.gate.gate
	fields := []zap.Field{zap.String("name", g.Name()), zap.String("provider", g.Provider())}
	v := d.verdict
	if v == nil {
		return fields
	}
	fields = append(fields, zap.String("verdict", string(v.Outcome)))
	if v.Code != "" {
		fields = append(fields, zap.String("code", string(v.Code)))
	}
	if v.Delivery != "" {
		fields = append(fields, zap.String("delivery", v.Delivery))
	}
	if v.Assurance != "" {
		fields = append(fields, zap.String("assurance", v.Assurance))
	}
	if len(v.Types) > 0 {
		fields = append(fields, zap.Strings("types", v.LogTypes()), zap.Int("events", len(v.Types)))
	}
	for _, f := range v.Tried {
		fields = append(fields, zap.String(f.Name, f.Value))
	}
	return append(fields, zap.Duration("gate_duration", d.took))
}

// MarshalLogObject puts the delivery into Caddy's access log, encoded only if
// there is one.
func (d *delivery) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	for _, f := range d.fields() {
		f.AddTo(enc)
	}
	return nil
}

// MarshalLogObject keeps secrets that stand literally in the configuration out
// of Caddy's trace of handlers.
func (g *Gate) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("name", g.gate.Name())
	enc.AddString("provider", g.gate.Provider())
	return nil
}
