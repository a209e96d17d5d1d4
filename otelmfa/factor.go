package otelmfa

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/report"
)

// Calls is for mfa.Config.Calls: it measures the calls of factors. The spans of senders are below
// the span of the call.
func (t *Telemetry) Calls(ctx context.Context, c report.Call) (context.Context, func(error)) {
	began := time.Now()
	ctx, span := t.tracer.Start(ctx, "secondgate.factor."+c.Operation,
		trace.WithSpanKind(trace.SpanKindInternal))
	return ctx, func(err error) {
		result := callResult(err)
		attributes := []attribute.KeyValue{attribute.String("kind", c.Kind),
			attribute.String("operation", c.Operation), attribute.String("result", result)}
		t.factor.Record(ctx, time.Since(began).Seconds(), metric.WithAttributes(attributes...))
		span.SetAttributes(attributes...)
		if result == resultError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// callResult tells what a user got wrong from what the factor could not do. An error that is both
// is a failure.
func callResult(err error) string {
	switch {
	case err == nil:
		return resultOK
	case errors.Is(err, mfa.ErrUnavailable):
		return resultError
	case errors.Is(err, factor.ErrPending):
		return "pending"
	}
	for _, refusal := range []error{factor.ErrIncorrect, factor.ErrExpired, factor.ErrReplayed,
		factor.ErrMalformed} {
		if errors.Is(err, refusal) {
			return "refused"
		}
	}
	return resultError
}
