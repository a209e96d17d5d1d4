// Package client carries, in the context of a request, from where it came, for the mails about what
// it did, and its language, for the codes that its user waits for.
package client

import "context"

// Client describes from where a request comes.
type Client struct {
	// Browser names the user's browser, such as "Firefox, Windows". An attacker may have chosen it.
	Browser string
	// Place is where the request seems to come from, such as "Utrecht, Netherlands".
	Place string
	// Language is the BCP 47 tag of the pages that the request gets, or "" if it is not known. An
	// attacker may have chosen it.
	Language string
}

type key struct{}

// Context returns a copy of ctx that has the Client.
func (c Client) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, key{}, c)
}

// Of returns the Client of a context, or the zero Client.
func Of(ctx context.Context) Client {
	c, _ := ctx.Value(key{}).(Client)
	return c
}
