// Package otelmfa reports what a Manager does as metrics and traces of OpenTelemetry.
//
// It uses the API of OpenTelemetry alone: the application brings the SDK and an exporter, such as
// the one for Prometheus. No metric and no span has a user, a tenant, an address, a key of a record
// or a message. So a metric has few series, and a trace may be kept for long. A call that panics is
// measured as an error.
//
//	telemetry, err := otelmfa.New(otelmfa.Config{}) // the global providers
//	store := telemetry.Store(sqlStore)
//	codes, err := email.New(email.Config{Sender: telemetry.MailSender(sender), …})
//	manager, err := mfa.New(mfa.Config{Store: store, Events: telemetry.Events(next),
//		Calls: telemetry.Calls, …})
//
// # Metrics
//
//	secondgate.events               events by event, kind, purpose and reason; see mfa.SlogEvents
//	secondgate.store.duration       seconds that an operation of the store took, by operation and
//	                                result: ok, not_found, conflict, unsupported, cancelled or
//	                                error
//	secondgate.send.duration        seconds that a mail server or provider took for a message, by
//	                                kind and result: ok, rejected, temporary, cancelled or error
//	secondgate.factor.duration      seconds that a factor took for a call, with its sender, by
//	                                kind, operation (enroll, issue, deliver, notify or verify)
//	                                and result: ok, refused, pending or error
//	secondgate.reencrypt.records    records that a re-encryption has dealt with, by state: read,
//	                                reencrypted or removed
//
// A conflict of a swap, or in a batch of swaps, is a retry of the Manager. A histogram has an
// exemplar where the caller's span is sampled and the application's SDK keeps exemplars.
//
// # Traces
//
// Operations of the store, calls of factors and messages are spans below the span of the caller's
// context. An event is an event of that span, under its name.
//
// Directory prometheus has alert rules, and directory grafana a dashboard.
package otelmfa
