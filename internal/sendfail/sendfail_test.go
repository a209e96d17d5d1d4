package sendfail_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/sendfail"
	"github.com/secondgate/secondgate/sms"
)

// The types of both packages convert to one another, so that this compiles.
var _ = sms.SendError(email.SendError(sendfail.Error{}))

func TestSendErrors_SayTheSameAndQuoteNothing(t *testing.T) {
	cause := errors.New("550 no such user ann@example.com: 012345")
	for want, e := range map[string]sendfail.Error{
		": message not sent": {},
		": message not sent (rejected): number, status 400, code 21211": {
			Code: 400, ProviderCode: "21211", Reason: "number", Rejected: true,
		},
		": message not sent (temporary): rate, status 429, retry after 7s": {
			Code: 429, Reason: "rate", Temporary: true, RetryAfter: 7 * time.Second,
		},
		": message not sent: unreachable, connection failed": {Reason: "unreachable", Err: cause},
		": message not sent (temporary), timed out": {
			Temporary: true, Err: fmt.Errorf("ann@example.com: %w", context.DeadlineExceeded),
		},
	} {
		mail, text := email.SendError(e), sms.SendError(e)
		for pkg, err := range map[string]error{"email": &mail, "sms": &text} {
			require.Equal(t, pkg+want, err.Error())
			require.Equal(t, pkg+want, fmt.Sprintf("%+v", err))
			encoded, jsonErr := json.Marshal(err)
			require.NoError(t, jsonErr)
			require.Equal(t, `"`+pkg+want+`"`, string(encoded))
			require.Equal(t, e.Err, errors.Unwrap(err))
			status := err.(interface{ SendStatus() (int, bool) }) //nolint:errorlint // not wrapped
			code, temporary := status.SendStatus()
			require.Equal(t, e.Code, code)
			require.Equal(t, e.Temporary, temporary)
		}
	}
}
