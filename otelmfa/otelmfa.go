package otelmfa

import (
	"context"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
)

const scope = "github.com/secondgate/secondgate/otelmfa"

// Config configures a Telemetry.
type Config struct {
	// MeterProvider defaults to the global one.
	MeterProvider metric.MeterProvider
	// TracerProvider defaults to the global one.
	TracerProvider trace.TracerProvider
}

// Telemetry has the instruments. It is safe for concurrent use.
type Telemetry struct {
	tracer              trace.Tracer
	events              metric.Int64Counter
	store, send, factor metric.Float64Histogram
	reencrypt           metric.Int64Gauge
}

// durations are the bounds of the histograms, in seconds: a read of a near database takes a
// millisecond, and a mail server may take half a minute.
var durations = metric.WithExplicitBucketBoundaries(
	.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30)

// New returns a Telemetry. Its errors are those of the application's SDK.
func New(cfg Config) (*Telemetry, error) {
	if cfg.MeterProvider == nil {
		cfg.MeterProvider = otel.GetMeterProvider()
	}
	if cfg.TracerProvider == nil {
		cfg.TracerProvider = otel.GetTracerProvider()
	}
	meter := cfg.MeterProvider.Meter(scope)
	t := &Telemetry{tracer: cfg.TracerProvider.Tracer(scope)}
	var err error
	if t.events, err = meter.Int64Counter("secondgate.events", metric.WithUnit("{event}"),
		metric.WithDescription("Events of second factors.")); err != nil {
		return nil, wrap(err)
	}
	if t.store, err = meter.Float64Histogram("secondgate.store.duration", metric.WithUnit("s"),
		metric.WithDescription("Time that operations of the store took."), durations); err != nil {
		return nil, wrap(err)
	}
	if t.send, err = meter.Float64Histogram("secondgate.send.duration", metric.WithUnit("s"),
		metric.WithDescription("Time that senders took for messages."), durations); err != nil {
		return nil, wrap(err)
	}
	if t.factor, err = meter.Float64Histogram("secondgate.factor.duration", metric.WithUnit("s"),
		metric.WithDescription("Time that calls of factors took."), durations); err != nil {
		return nil, wrap(err)
	}
	if t.reencrypt, err = meter.Int64Gauge("secondgate.reencrypt.records",
		metric.WithUnit("{record}"),
		metric.WithDescription("Records that a re-encryption has dealt with.")); err != nil {
		return nil, wrap(err)
	}
	return t, nil
}

func wrap(err error) error { return fmt.Errorf("otelmfa: %w", err) }

// Events returns a function for mfa.Config.Events that counts every event, adds it to the span of
// its context, and passes it to next. A nil next receives nothing.
func (t *Telemetry) Events(
	next func(context.Context, mfa.Event),
) func(context.Context, mfa.Event) {
	return func(ctx context.Context, e mfa.Event) {
		attributes := describe(e)
		t.events.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(attributes...)))
		trace.SpanFromContext(ctx).AddEvent(e.Name, trace.WithAttributes(attributes...))
		if next != nil {
			next(ctx, e)
		}
	}
}

// describe returns what a metric may say of an event: names, of which there are few.
func describe(e mfa.Event) []attribute.KeyValue {
	list := []attribute.KeyValue{attribute.String("event", e.Name)}
	if e.Kind != "" {
		list = append(list, attribute.String("kind", e.Kind))
	}
	if e.Purpose != "" {
		list = append(list, attribute.String("purpose", e.Purpose))
	}
	if e.Reason != "" && namedReason(e.Name) {
		list = append(list, attribute.String("reason", e.Reason))
	}
	return list
}

// namedReason reports whether the reason of an event is one of a fixed list.
func namedReason(event string) bool {
	switch event {
	case "verify.success", "verify.failure", "confirm.failure", "challenge.begun", "setup.opened",
		"admin.set-policy":
		return true
	}
	return strings.HasPrefix(event, "notice.")
}

// Reencryption reports how far a re-encryption has come, as mfa.Manager.Reencrypt returns it.
func (t *Telemetry) Reencryption(ctx context.Context, p report.Progress) {
	for _, n := range []struct {
		state string
		count int
	}{
		{"read", p.Records}, {"reencrypted", p.Reencrypted}, {"removed", p.Removed},
	} {
		t.reencrypt.Record(ctx, int64(n.count),
			metric.WithAttributes(attribute.String("state", n.state)))
	}
}
