package hookward

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// sampledLogger lets the first lines of a second through and then one in a
// hundred, so that a flood of forgeries does not become a flood of log lines.
func sampledLogger(log *zap.Logger) *zap.Logger {
	return log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(c, time.Second, 20, 100)
	}))
}

// fields are what a log line may know of the delivery: never a body, a secret,
// a message, a number or an event's id.
func (d *delivery) fields() []zap.Field {
	g := d.gate.gate
	fields := []zap.Field{zap.String("name", g.Name()), zap.String("provider", g.Provider()), zap.String("instance", d.instance())}
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
	if len(v.Types) > 0 {
		fields = append(fields, zap.Strings("types", v.Types), zap.Int("events", len(v.Types)))
	}
	for _, f := range v.Tried {
		fields = append(fields, zap.String(f.Name, f.Value))
	}
	return append(fields, zap.Duration("duration", time.Since(d.start)))
}

// accessLogFields puts the verdict into Caddy's access log, encoded only if
// there is one.
type accessLogFields struct{ d *delivery }

// MarshalLogObject adds the fields under "webhook".
func (a accessLogFields) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	return enc.AddObject("webhook", zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
		for _, f := range a.d.fields() {
			f.AddTo(enc)
		}
		return nil
	}))
}
