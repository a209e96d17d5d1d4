package envelope

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/secondgate/secondgate/secret"
)

// CloudKey is a key in the key service of a cloud, for [AWSKMS], [GoogleKMS] and [AzureKeyVault].
type CloudKey struct {
	// Name is the name of the key in the form of the service. Required. It names no version of the
	// key, so that a rotation in the cloud takes effect. Keys that an older version encrypted are
	// decrypted until the cloud deletes that version.
	Name string
	// Context says what the keys are for, such as {"app": "shop", "tenant": "acme"}. A key that
	// was encrypted with one Context is not decrypted with another. Services write it to their
	// logs. Defaults to none.
	Context map[string]string
	// URL is that of the service, for a private endpoint. It defaults to the public one of the
	// key, and must be https unless the host is this machine.
	URL string
	// Client sends the requests and follows no redirect. It defaults to [http.DefaultClient]. The
	// context that a caller passes bounds the time.
	Client *http.Client
}

// purpose keeps what was encrypted for another use of the key from being taken for a key.
const purpose = "secondgate/1 envelope"

// check checks what the services have in common. It returns a copy that the caller cannot change.
func (k CloudKey) check() (CloudKey, error) {
	for name, value := range k.Context {
		if name == "" || value == "" || !utf8.ValidString(name+value) {
			return k, errors.New("envelope: Context has an empty name or value, or one that is " +
				"no UTF-8")
		}
	}
	k.Context = maps.Clone(k.Context)
	if k.URL != "" {
		if _, err := safeURL(k.URL); err != nil {
			return k, err
		}
	}
	return k, nil
}

// bound returns the purpose, the name and the context as one text, which no other ones have.
func (k CloudKey) bound() []byte {
	// A map is encoded in the order of its names. Neither it nor a text can fail.
	text, _ := json.Marshal([]any{purpose, k.Name, k.Context})
	return text
}

// at returns the URL of a path below the one of the service.
func (k CloudKey) at(service, path string) string {
	if k.URL != "" {
		service = k.URL
	}
	where, _ := url.JoinPath(service, path) // both were checked
	return where
}

// bearer returns what adds a token to a request.
func bearer(
	ctx context.Context, token func(context.Context) (secret.Text, error),
) func(*http.Request, []byte) error {
	return func(request *http.Request, _ []byte) error {
		t, err := token(ctx)
		if err != nil {
			return fmt.Errorf("envelope: the token: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+t.Reveal())
		return nil
	}
}
