package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/secret"
)

// A code prints as "[redacted]" until the application reveals it.
func ExampleText() {
	code := secret.New("012345")
	fmt.Println("received", code)
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: drop})).
		Info("received", "code", code)
	fmt.Println("sent", code.Reveal())
	// Output:
	// received [redacted]
	// level=INFO msg=received code=[redacted]
	// sent 012345
}

func TestText_RevealsWhatItHolds(t *testing.T) {
	for _, text := range []string{"", "012345", "a\x00b", "\xff", "[redacted]"} {
		s := secret.New(text)
		require.Equal(t, text, s.Reveal())
		require.Equal(t, text == "", s.IsZero())
	}
	require.Equal(t, secret.Text{}, secret.New(""))
}

// No verb and no encoder shows the text, wherever in a value it is.
func TestText_PrintsNowhere(t *testing.T) {
	const text = "hush-8172635"
	hex := fmt.Sprintf("%x", text)
	s := secret.New(text)
	type hidden struct{ s any } // which package fmt cannot call methods on
	type exported struct{ S secret.Text }
	values := []any{s, &s, exported{s}, &exported{s}, hidden{s}, hidden{exported{s}},
		[]secret.Text{s}, map[string]secret.Text{"s": s}, []any{s}}
	for _, v := range values {
		for _, verb := range strings.Fields("%v %+v %#v %s %q %x %X %d %t %T %z %10.3s") {
			require.NotContains(t, fmt.Sprintf(verb, v), text, "%s of %T", verb, v)
			require.NotContains(t, fmt.Sprintf(verb, v), hex, "%s of %T", verb, v)
		}
		b, err := json.Marshal(v)
		require.NoError(t, err)
		require.NotContains(t, string(b), text, "JSON of %T", v)
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", v)
		require.NotContains(t, log.String(), text, "log of %T", v)
	}
	var b bytes.Buffer
	require.Error(t, gob.NewEncoder(&b).Encode(exported{s}), "gob does not store it")
	require.NoError(t, xml.NewEncoder(&b).Encode(exported{s}))
	require.NotContains(t, b.String(), text)
	require.Equal(t, "[redacted]", s.String())
}

// A request or a configuration is decoded into a Text.
func TestText_IsDecoded(t *testing.T) {
	var in struct{ Code secret.Text }
	require.NoError(t, json.Unmarshal([]byte(`{"Code":"012345"}`), &in))
	require.Equal(t, "012345", in.Code.Reveal())
	require.NoError(t, json.Unmarshal([]byte(`{"Code":""}`), &in))
	require.True(t, in.Code.IsZero(), "the empty text replaces what was there")
	require.Error(t, json.Unmarshal([]byte(`{"Code":12345}`), &in))
}

// No verb and no encoder shows the bytes, where package fmt can call methods.
func TestBytes_PrintsNowhere(t *testing.T) {
	const text = "hush-8172635"
	b := secret.Bytes(text)
	shown := []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%d", []byte(text)),
		base64.StdEncoding.EncodeToString([]byte(text))}
	type exported struct{ B secret.Bytes }
	values := []any{b, &b, exported{b}, &exported{b}, []secret.Bytes{b},
		map[string]secret.Bytes{"b": b}, []any{b}}
	for _, v := range values {
		var out bytes.Buffer
		for _, verb := range strings.Fields("%v %+v %#v %s %q %x %X %d %t %z %10.3s") {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		require.NoError(t, json.NewEncoder(&out).Encode(v))
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		for _, s := range shown {
			require.NotContains(t, out.String(), s, "%T", v)
		}
	}
	require.Equal(t, "[redacted]", b.String())
	require.True(t, bytes.Equal(b, []byte(text)), "package bytes reads it")
}
