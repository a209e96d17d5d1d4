package otelmfa

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/secondgate/secondgate/storage"
)

// Store returns a store that measures s. It is a storage.Lister if s is one, and a
// storage.BatchSwapper if s is one.
func (t *Telemetry) Store(s storage.Store) storage.Store {
	measured := &store{t, s}
	lister, lists := s.(storage.Lister)
	swapper, swaps := s.(storage.BatchSwapper)
	switch {
	case lists && swaps:
		return struct {
			*store
			storage.Lister
			storage.BatchSwapper
		}{measured, listing{t, lister}, swapping{t, swapper}}
	case lists:
		return struct {
			*store
			storage.Lister
		}{measured, listing{t, lister}}
	case swaps:
		return struct {
			*store
			storage.BatchSwapper
		}{measured, swapping{t, swapper}}
	}
	return measured
}

type store struct {
	t    *Telemetry
	next storage.Store
}

type listing struct {
	t    *Telemetry
	next storage.Lister
}

type swapping struct {
	t    *Telemetry
	next storage.BatchSwapper
}

var (
	_ storage.Store        = (*store)(nil)
	_ storage.Lister       = listing{}
	_ storage.BatchSwapper = swapping{}
)

func (s *store) Get(ctx context.Context, key string) (r storage.Record, err error) {
	ctx, end := s.t.begin(ctx, "secondgate.store.get")
	err = errPanicked
	defer func() { end(s.t.store, "operation", "get", storeResult(err)) }()
	return s.next.Get(ctx, key)
}

func (s *store) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) (err error) {
	ctx, end := s.t.begin(ctx, "secondgate.store.swap")
	err = errPanicked
	defer func() { end(s.t.store, "operation", "swap", storeResult(err)) }()
	return s.next.Swap(ctx, key, old, next)
}

func (s *store) Delete(ctx context.Context, key string, old storage.Revision) (err error) {
	ctx, end := s.t.begin(ctx, "secondgate.store.delete")
	err = errPanicked
	defer func() { end(s.t.store, "operation", "delete", storeResult(err)) }()
	return s.next.Delete(ctx, key, old)
}

func (s listing) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) (page []storage.Entry, next storage.Cursor, err error) {
	ctx, end := s.t.begin(ctx, "secondgate.store.list")
	err = errPanicked
	defer func() { end(s.t.store, "operation", "list", storeResult(err)) }()
	return s.next.List(ctx, prefix, cursor, limit)
}

// SwapBatch is measured as one operation. It is a conflict if one of the swaps is.
func (s swapping) SwapBatch(
	ctx context.Context, old []storage.Entry, next []storage.Record,
) (swapped []bool, err error) {
	ctx, end := s.t.begin(ctx, "secondgate.store.swap_batch")
	err = errPanicked
	defer func() {
		result := storeResult(err)
		if result == resultOK && slices.Contains(swapped, false) {
			result = resultConflict
		}
		end(s.t.store, "operation", "swap_batch", result)
	}()
	return s.next.SwapBatch(ctx, old, next)
}

const (
	resultOK       = "ok"
	resultConflict = "conflict"
	resultError    = "error"
)

// errPanicked is the error of a call until it returns, so that one that panics did not succeed.
var errPanicked = errors.New("otelmfa: panic")

func storeResult(err error) string {
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return "not_found"
	case errors.Is(err, storage.ErrConflict):
		return resultConflict
	case errors.Is(err, errors.ErrUnsupported):
		return "unsupported"
	}
	return otherResult(err)
}

// begin begins a span, and returns a function that ends it and measures how long it took. The
// span has the result and not the text of an error, which may quote a key or a message.
func (t *Telemetry) begin(
	ctx context.Context, span string,
) (context.Context, func(h metric.Float64Histogram, label, value, result string)) {
	began := time.Now()
	ctx, s := t.tracer.Start(ctx, span, trace.WithSpanKind(trace.SpanKindClient))
	return ctx, func(h metric.Float64Histogram, label, value, result string) {
		attributes := []attribute.KeyValue{attribute.String(label, value),
			attribute.String("result", result)}
		h.Record(ctx, time.Since(began).Seconds(), metric.WithAttributes(attributes...))
		s.SetAttributes(attributes...)
		if result == resultError {
			s.SetStatus(codes.Error, "")
		}
		s.End()
	}
}
