// Package strictb64 decodes base64 in which every value has one spelling. The Strict encodings
// of encoding/base64 refuse trailing bits, but ignore line breaks anywhere in the text, so that
// one token, link or hash has many spellings and a text of the expected length may decode to less.
package strictb64

import "encoding/base64"

// DecodeURL decodes the URL-safe alphabet without padding.
func DecodeURL(text string) ([]byte, error) { return decode(base64.RawURLEncoding, text) }

// DecodeStd decodes the standard alphabet without padding.
func DecodeStd(text string) ([]byte, error) { return decode(base64.RawStdEncoding, text) }

func decode(enc *base64.Encoding, text string) ([]byte, error) {
	data, err := enc.Strict().DecodeString(text)
	if err != nil {
		return nil, err
	}
	// DecodedLen would not do: it is the same for a text of 4n and of 4n+1 characters.
	if enc.EncodedLen(len(data)) != len(text) { // line breaks were left out
		return nil, base64.CorruptInputError(len(text))
	}
	return data, nil
}
