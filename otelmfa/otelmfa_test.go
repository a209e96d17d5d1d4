package otelmfa_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/otelmfa"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/storage/storagetest"
)

// rig has a Telemetry, and reads what it reported.
type rig struct {
	*testing.T
	telemetry *otelmfa.Telemetry
	reader    *metric.ManualReader
	spans     *tracetest.SpanRecorder
	tracers   *trace.TracerProvider
}

func newRig(t *testing.T) *rig {
	r := &rig{T: t, reader: metric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	r.tracers = trace.NewTracerProvider(trace.WithSpanProcessor(r.spans))
	var err error
	r.telemetry, err = otelmfa.New(otelmfa.Config{TracerProvider: r.tracers,
		MeterProvider: metric.NewMeterProvider(metric.WithReader(r.reader))})
	require.NoError(t, err)
	return r
}

// metrics returns the data of each instrument.
func (r *rig) metrics() map[string]metricdata.Aggregation {
	var all metricdata.ResourceMetrics
	require.NoError(r, r.reader.Collect(r.Context(), &all))
	byName := make(map[string]metricdata.Aggregation)
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			byName[m.Name] = m.Data
		}
	}
	return byName
}

// counts returns the count of each series of an instrument, by its labels.
func (r *rig) counts(name string) map[string]uint64 {
	counts := make(map[string]uint64)
	encode := func(s attribute.Set) string { return s.Encoded(attribute.DefaultEncoder()) }
	switch data := r.metrics()[name].(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			counts[encode(p.Attributes)] = uint64(p.Value)
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			counts[encode(p.Attributes)] = uint64(p.Value)
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			counts[encode(p.Attributes)] = p.Count
		}
	}
	return counts
}

func TestStore_Conforms(t *testing.T) {
	database := memory.New()
	storagetest.Run(t, func(t *testing.T) storage.Store {
		return newRig(t).telemetry.Store(database)
	})
}

// threeMethods is a store that can neither list nor swap batches.
type threeMethods struct{ storage.Store }

func TestStore_DoesWhatTheStoreDoes(t *testing.T) {
	r := newRig(t)
	three := threeMethods{memory.New()}
	for _, c := range []struct {
		s            storage.Store
		lists, swaps bool
	}{
		{memory.New(), true, true},
		{three, false, false},
		{struct {
			storage.Store
			storage.Lister
		}{three, memory.New()}, true, false},
		{struct {
			storage.Store
			storage.BatchSwapper
		}{three, memory.New()}, false, true},
	} {
		measured := r.telemetry.Store(c.s)
		_, lists := measured.(storage.Lister)
		require.Equal(t, c.lists, lists)
		_, swaps := measured.(storage.BatchSwapper)
		require.Equal(t, c.swaps, swaps)
	}
}

func TestStore_MeasuresEachResult(t *testing.T) {
	r := newRig(t)
	ctx, parent := r.tracers.Tracer("application").Start(t.Context(), "request")
	s := r.telemetry.Store(memory.New())
	record := storage.Record{Revision: "1", Data: []byte("x")}
	_, err := s.Get(ctx, "u/secret-user")
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.NoError(t, s.Swap(ctx, "u/secret-user", "", record))
	require.ErrorIs(t, s.Swap(ctx, "u/secret-user", "", record), storage.ErrConflict)
	batches := s.(storage.BatchSwapper)
	for range 2 {
		_, err = batches.SwapBatch(ctx, []storage.Entry{{Key: "u/other"}}, []storage.Record{record})
		require.NoError(t, err)
	}
	require.NoError(t, s.Delete(ctx, "u/secret-user", "1"))
	_, err = s.Get(ctx, "")
	require.ErrorIs(t, err, storage.ErrInvalid)
	parent.End()

	require.Equal(t, map[string]uint64{
		"operation=get,result=not_found": 1, "operation=get,result=error": 1,
		"operation=swap,result=ok": 1, "operation=swap,result=conflict": 1,
		"operation=swap_batch,result=ok": 1, "operation=swap_batch,result=conflict": 1,
		"operation=delete,result=ok": 1,
	}, r.counts("secondgate.store.duration"))

	data := r.metrics()["secondgate.store.duration"].(metricdata.Histogram[float64])
	trace := parent.SpanContext().TraceID()
	for _, p := range data.DataPoints {
		require.Len(t, p.Exemplars, 1)
		require.Equal(t, trace[:], p.Exemplars[0].TraceID)
	}
	for _, span := range r.spans.Ended()[:7] {
		require.Equal(t, parent.SpanContext().SpanID(), span.Parent().SpanID())
		require.NotContains(t, fmt.Sprint(span.Name(), span.Attributes(), span.Status()), "secret")
	}
	require.Equal(t, codes.Error, r.spans.Ended()[6].Status().Code)
	require.Equal(t, codes.Unset, r.spans.Ended()[2].Status().Code, "a conflict is no error")
}

type mails struct{ err error }

func (m mails) Send(context.Context, email.Message) error { return m.err }

type texts struct{ err error }

func (m texts) Send(context.Context, sms.Message) error { return m.err }

func TestSenders_MeasureEachResult(t *testing.T) {
	r := newRig(t)
	other := errors.New("a mail to ann@secret.example failed")
	for _, err := range []error{nil, other, &email.SendError{Rejected: true},
		&email.SendError{Temporary: true}, &email.SendError{}} {
		require.Equal(t, err, r.telemetry.MailSender(mails{err}).Send(t.Context(), email.Message{}))
	}
	for _, err := range []error{nil, other, &sms.SendError{Reason: "number"},
		&sms.SendError{Reason: "blocked"}, &sms.SendError{Rejected: true},
		&sms.SendError{Temporary: true}} {
		require.Equal(t, err, r.telemetry.TextSender(texts{err}).Send(t.Context(), sms.Message{}))
	}
	require.Equal(t, map[string]uint64{
		"kind=email,result=ok": 1, "kind=email,result=error": 2, "kind=email,result=rejected": 1,
		"kind=email,result=temporary": 1,
		"kind=sms,result=ok":          1, "kind=sms,result=error": 1, "kind=sms,result=rejected": 3,
		"kind=sms,result=temporary": 1,
	}, r.counts("secondgate.send.duration"))
	require.NotContains(t, fmt.Sprint(r.spans.Ended()), "secret.example")
}

// refusing is a store whose calls return an error.
type refusing struct {
	storage.Store
	err error
}

func (r refusing) Get(context.Context, string) (storage.Record, error) {
	return storage.Record{}, r.err
}

func (r refusing) SwapBatch(context.Context, []storage.Entry, []storage.Record) ([]bool, error) {
	return nil, r.err
}

// A client who hangs up, and a store that has no statement for a batch, are no failures of the
// store: an attacker who hangs up often raises no alarm. A time-out is a failure.
func TestStore_MeasuresFailuresAlone(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	for _, err := range []error{fmt.Errorf("sql: %w", context.Canceled), errors.ErrUnsupported,
		context.DeadlineExceeded} {
		s := r.telemetry.Store(refusing{memory.New(), err})
		_, got := s.Get(ctx, "k")
		require.Equal(t, err, got)
		_, got = s.(storage.BatchSwapper).SwapBatch(ctx, nil, nil)
		require.Equal(t, err, got)
		require.Equal(t, err, r.telemetry.MailSender(mails{err}).Send(ctx, email.Message{}))
	}
	require.Equal(t, map[string]uint64{
		"operation=get,result=cancelled": 1, "operation=get,result=unsupported": 1,
		"operation=get,result=error": 1, "operation=swap_batch,result=cancelled": 1,
		"operation=swap_batch,result=unsupported": 1, "operation=swap_batch,result=error": 1,
	}, r.counts("secondgate.store.duration"))
	require.Equal(t, map[string]uint64{"kind=email,result=cancelled": 1,
		"kind=email,result=error": 2}, r.counts("secondgate.send.duration"))
	for _, span := range r.spans.Ended() {
		failed := span.Status().Code == codes.Error
		require.Equal(t, failed, strings.Contains(fmt.Sprint(span.Attributes()), "error"))
	}
}

// panicking is a store and a sender that panics.
type panicking struct{}

func (panicking) Get(context.Context, string) (storage.Record, error) { panic("get") }

func (panicking) Delete(context.Context, string, storage.Revision) error { panic("delete") }

func (panicking) Swap(context.Context, string, storage.Revision, storage.Record) error {
	panic("swap")
}

func (panicking) List(context.Context, string, storage.Cursor, int) (
	[]storage.Entry, storage.Cursor, error,
) {
	panic("list")
}

func (panicking) SwapBatch(context.Context, []storage.Entry, []storage.Record) ([]bool, error) {
	panic("swap batch")
}

type panickingMails struct{}

func (panickingMails) Send(context.Context, email.Message) error { panic("mail") }

type panickingTexts struct{}

func (panickingTexts) Send(context.Context, sms.Message) error { panic("text") }

// A panic goes on to the caller, and is no success in the metrics.
func TestTelemetry_CountsAPanicAsAnError(t *testing.T) {
	r := newRig(t)
	ctx, s := t.Context(), r.telemetry.Store(panicking{})
	for _, call := range []func(){
		func() { _, _ = s.Get(ctx, "k") },
		func() { _ = s.Swap(ctx, "k", "", storage.Record{}) },
		func() { _ = s.Delete(ctx, "k", "1") },
		func() { _, _, _ = s.(storage.Lister).List(ctx, "", "", 1) },
		func() { _, _ = s.(storage.BatchSwapper).SwapBatch(ctx, nil, nil) },
		func() { _ = r.telemetry.MailSender(panickingMails{}).Send(ctx, email.Message{}) },
		func() { _ = r.telemetry.TextSender(panickingTexts{}).Send(ctx, sms.Message{}) },
	} {
		require.Panics(t, call)
	}
	require.Equal(t, map[string]uint64{
		"operation=get,result=error": 1, "operation=swap,result=error": 1,
		"operation=delete,result=error": 1, "operation=list,result=error": 1,
		"operation=swap_batch,result=error": 1,
	}, r.counts("secondgate.store.duration"))
	require.Equal(t, map[string]uint64{"kind=email,result=error": 1, "kind=sms,result=error": 1},
		r.counts("secondgate.send.duration"))
	for _, span := range r.spans.Ended() {
		require.Equal(t, codes.Error, span.Status().Code)
	}
}

// A sign-in is measured from the request to the store, and names no user.
func TestEvents_CountASignInWithoutItsUser(t *testing.T) {
	r := newRig(t)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	codes, err := pin.New(pin.Config{})
	require.NoError(t, err)
	passed := 0
	m, err := mfa.New(mfa.Config{Store: r.telemetry.Store(memory.New()), Keys: keys,
		Factors: []factor.Factor{codes}, Calls: r.telemetry.Calls,
		Events: r.telemetry.Events(func(context.Context, mfa.Event) { passed++ })})
	require.NoError(t, err)

	ctx, span := r.tracers.Tracer("application").Start(t.Context(), "request")
	s := m.Session(mfa.User{ID: "zebra-42", Tenant: "acme-9", UserType: "staff"}, "session")
	challenge, err := s.Begin(ctx)
	require.NoError(t, err)
	enrolling, err := s.Enroll(ctx, challenge.Grant, mfa.EnrollRequest{Kind: "pin",
		Params: map[string]secret.Text{"pin": secret.New("837261")}})
	require.NoError(t, err)
	_, err = s.Confirm(ctx, enrolling, secret.New("837261"))
	require.NoError(t, err)
	challenge, err = s.Begin(ctx)
	require.NoError(t, err)
	_, err = s.Verify(ctx, challenge, "pin", secret.New("000000"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = s.Verify(ctx, challenge, "pin", secret.New("837261"))
	require.NoError(t, err)
	span.End()

	require.Equal(t, map[string]uint64{
		"event=challenge.begun,purpose=sign-in,reason=enroll":            1,
		"event=challenge.begun,purpose=sign-in,reason=verify":            1,
		"event=enroll.begun,kind=pin":                                    1,
		"event=factor.added,kind=pin":                                    1,
		"event=verify.failure,kind=pin,purpose=sign-in,reason=incorrect": 1,
		"event=verify.success,kind=pin,purpose=sign-in":                  2,
	}, r.counts("secondgate.events"))
	require.Equal(t, map[string]uint64{
		"kind=pin,operation=enroll,result=ok":      1,
		"kind=pin,operation=verify,result=ok":      2,
		"kind=pin,operation=verify,result=refused": 1,
	}, r.counts("secondgate.factor.duration"))
	require.Equal(t, 7, passed)
	ended := r.spans.Ended()
	require.Len(t, ended[len(ended)-1].Events(), 7)
	for _, name := range []string{"zebra", "acme-9"} {
		require.NotContains(t, fmt.Sprintf("%+v", r.metrics()), name)
		for _, s := range ended {
			require.NotContains(t, fmt.Sprint(s.Name(), s.Attributes(), s.Events()), name)
		}
	}
}

// A factor's own time is measured, and a failure of its sender is none of the user's.
func TestCalls_MeasureEachResult(t *testing.T) {
	r := newRig(t)
	for _, err := range []error{nil, factor.ErrIncorrect, factor.ErrReplayed, factor.ErrPending,
		fmt.Errorf("%w: %w", mfa.ErrUnavailable, factor.ErrIncorrect),
		errors.New("mail to ann@secret.example failed")} {
		ctx, end := r.telemetry.Calls(t.Context(), report.Call{Kind: "email",
			Operation: "verify"})
		require.NoError(t, r.telemetry.MailSender(mails{}).Send(ctx, email.Message{}))
		end(err)
	}
	require.Equal(t, map[string]uint64{
		"kind=email,operation=verify,result=ok":      1,
		"kind=email,operation=verify,result=refused": 2,
		"kind=email,operation=verify,result=pending": 1,
		"kind=email,operation=verify,result=error":   2,
	}, r.counts("secondgate.factor.duration"))
	for i, span := range r.spans.Ended() {
		require.NotContains(t, fmt.Sprint(span.Name(), span.Attributes(), span.Status()), "secret")
		if i%2 == 0 {
			above := r.spans.Ended()[i+1]
			require.Equal(t, above.SpanContext().SpanID(), span.Parent().SpanID(), "a sender's")
		}
	}
}

// What an administrator writes as a reason would be a series for each.
func TestEvents_LeaveOutFreeTexts(t *testing.T) {
	r := newRig(t)
	r.telemetry.Events(nil)(t.Context(), mfa.Event{Name: "acme.act", Reason: "ticket 4711",
		Note: "lost phone", Actor: "carol", UserID: "ann", FactorID: "f"})
	require.Equal(t, map[string]uint64{"event=acme.act": 1}, r.counts("secondgate.events"))
}

func TestReencryption_IsAGauge(t *testing.T) {
	r := newRig(t)
	r.telemetry.Reencryption(t.Context(), report.Progress{Records: 10, Reencrypted: 8, Removed: 1})
	require.Equal(t, map[string]uint64{"state=read": 10, "state=reencrypted": 8,
		"state=removed": 1}, r.counts("secondgate.reencrypt.records"))
}
