package verifiers_test

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
)

// mutation changes one part of a ceremony. It returns false if it does not apply.
type mutation func(c *ceremony, r *rand.Rand) bool

// mutations are the changes, by name.
var mutations = map[string]mutation{
	"flags": func(c *ceremony, r *rand.Rand) bool {
		c.flags = c.flags&^31 | byte(r.IntN(32))
		return true
	},
	"reserved flag": func(c *ceremony, _ *rand.Rand) bool { c.flags |= 2 | 32; return true },
	"attested data": func(c *ceremony, _ *rand.Rand) bool { c.flags ^= 64; return true },
	"extension flag without data": func(c *ceremony, _ *rand.Rand) bool {
		c.flags |= 128
		return true
	},
	"extension data": func(c *ceremony, _ *rand.Rand) bool {
		c.flags |= 128
		c.tail = append(pack(c.T, map[string]any{"credProtect": 2}), c.tail...)
		return true
	},
	"extension data without flag": func(c *ceremony, _ *rand.Rand) bool {
		c.tail = pack(c.T, map[string]any{"credProtect": 2})
		return true
	},
	"counter": func(c *ceremony, r *rand.Rand) bool {
		c.counter = []uint32{0, 1, counted, counted + 1, 1 << 31, 1<<32 - 1}[r.IntN(6)]
		return true
	},
	"RP ID": func(c *ceremony, r *rand.Rand) bool {
		c.rpID = pick(r, "", "example.org", "www.example.com", "EXAMPLE.COM", "com")
		return true
	},
	"authenticator data cut": func(c *ceremony, r *rand.Rand) bool {
		c.auth = func(b []byte) []byte { return b[:r.IntN(len(b))] }
		return true
	},
	"authenticator data longer": func(c *ceremony, r *rand.Rand) bool {
		c.tail = append(c.tail, make([]byte, 1+r.IntN(4))...)
		return true
	},
	"authenticator data bit": func(c *ceremony, r *rand.Rand) bool {
		c.auth = flipped(r)
		return true
	},
	"origin": func(c *ceremony, r *rand.Rand) bool {
		c.client["origin"] = pick(r, origin+"/", origin+":443", "https://example.com", "null", "",
			"http://www.example.com", "https://WWW.example.com", "https://www.example.com.evil.org",
			"https://evil.org#"+origin)
		return true
	},
	"origin of another type": func(c *ceremony, _ *rand.Rand) bool {
		c.client["origin"] = []string{origin}
		return true
	},
	"type": func(c *ceremony, r *rand.Rand) bool {
		c.client["type"] = pick(r, "webauthn.get", "webauthn.create", "payment.get", "",
			"WEBAUTHN.GET")
		return true
	},
	"challenge": func(c *ceremony, r *rand.Rand) bool {
		c.client["challenge"] = pick(r, "", "AAAA", text(bytes.Repeat([]byte{1}, 32)))
		return true
	},
	"cross origin": func(c *ceremony, _ *rand.Rand) bool {
		c.client["crossOrigin"] = true
		return true
	},
	"top origin": func(c *ceremony, r *rand.Rand) bool {
		c.client["topOrigin"] = pick(r, origin, "https://evil.org")
		c.client["crossOrigin"] = r.IntN(2) == 0
		return true
	},
	"token binding": func(c *ceremony, r *rand.Rand) bool {
		c.client["tokenBinding"] = []any{map[string]any{"status": "supported"}, "none", nil,
			map[string]any{"status": "present", "id": "AAAA"},
			map[string]any{"status": "broken"}}[r.IntN(5)]
		return true
	},
	"other member": func(c *ceremony, _ *rand.Rand) bool {
		c.client["other_keys_can_be_added_here"] = "do not compare clientDataJSON"
		return true
	},
	"no cross origin": func(c *ceremony, _ *rand.Rand) bool {
		delete(c.client, "crossOrigin")
		return true
	},
	"signature bit": onSignature(func(r *rand.Rand, b []byte) []byte { return flipped(r)(b) }),
	"signature cut": onSignature(func(r *rand.Rand, b []byte) []byte {
		return b[:r.IntN(len(b))]
	}),
	"signature twice": onSignature(func(_ *rand.Rand, b []byte) []byte { return append(b, b...) }),
	"signature longer": onSignature(func(_ *rand.Rand, b []byte) []byte {
		return append(b, 0)
	}),
	"signature longer than it says": func(c *ceremony, r *rand.Rand) bool {
		if _, ok := c.key.signer.(*ecdsa.PrivateKey); !ok || c.create {
			return false
		}
		c.signature = func(b []byte) []byte {
			b[1] -= byte(1 + r.IntN(4)) // the length of the sequence
			return b
		}
		return true
	},
	"signature negated": onDER(func(c *ceremony, v *point) {
		n := c.key.signer.(*ecdsa.PrivateKey).Params().N
		v.S = new(big.Int).Sub(n, v.S)
	}),
	"signature zero":     onDER(func(_ *ceremony, v *point) { v.R, v.S = &big.Int{}, &big.Int{} }),
	"signature negative": onDER(func(_ *ceremony, v *point) { v.S.Neg(v.S) }),
	"signature above the order": onDER(func(c *ceremony, v *point) {
		v.S.Add(v.S, c.key.signer.(*ecdsa.PrivateKey).Params().N)
	}),
	"type of the credential": func(c *ceremony, r *rand.Rand) bool {
		c.outer["type"] = pick(r, "", "password", "Public-Key")
		return true
	},
	"id": func(c *ceremony, r *rand.Rand) bool {
		id := pick(r, "", "AAAA", text(c.key.id)+"A")
		c.outer["id"] = id
		if r.IntN(2) == 0 {
			c.outer["rawId"] = id
		}
		return true
	},
	"padded base64": func(c *ceremony, _ *rand.Rand) bool {
		b := base64.URLEncoding.EncodeToString(c.key.id)
		c.outer["id"], c.outer["rawId"] = b, b
		return true
	},
	"user handle": func(c *ceremony, r *rand.Rand) bool {
		c.response["userHandle"] = pick(r, "", "AAAA", text([]byte("another user")))
		return !c.create
	},
	"extra fields": func(c *ceremony, _ *rand.Rand) bool {
		c.response["transports"], c.outer["authenticatorAttachment"] = []string{"usb"}, "platform"
		return true
	},
	"other member of the response": func(c *ceremony, _ *rand.Rand) bool {
		c.response["publicKey"], c.outer["debug"] = "AAAA", 1
		return true
	},
}

// creations are mutations of an enrolment alone.
var creations = map[string]mutation{
	"key that is not minimal": func(c *ceremony, _ *rand.Rand) bool {
		// The same map, with its first key as 0x18 0x01 (RFC 8949 section 4.2.1).
		c.cose = slices.Concat(c.cose[:1], []byte{0x18, 0x01}, c.cose[2:])
		return true
	},
	"key of indefinite length": func(c *ceremony, _ *rand.Rand) bool {
		c.cose = slices.Concat([]byte{0xbf}, c.cose[1:], []byte{0xff})
		return true
	},
	"key with a double member": func(c *ceremony, _ *rand.Rand) bool {
		c.cose = slices.Concat([]byte{c.cose[0] + 1}, c.cose[1:], []byte{1, 2})
		return true
	},
	"key bit": func(c *ceremony, r *rand.Rand) bool {
		c.cose = flipped(r)(c.cose)
		return true
	},
	"member of the key": func(c *ceremony, r *rand.Rand) bool {
		cose := map[int]any{}
		for n, v := range c.key.cose {
			cose[n] = v
		}
		member := []int{1, 3, -1, -2, -3, 2, 4}[r.IntN(7)]
		cose[member] = []any{0, -7, -8, -257, []byte{}, []byte{4}, make([]byte, 32), "text",
			nil, true}[r.IntN(10)]
		if r.IntN(3) == 0 {
			delete(cose, member)
		}
		c.cose = pack(c.T, cose)
		return true
	},
	"length of the ID": func(c *ceremony, r *rand.Rand) bool {
		c.id = make([]byte, []int{0, 1, 16, 1023, 1024, 2000}[r.IntN(6)])
		c.outer["id"], c.outer["rawId"] = text(c.id), text(c.id)
		return true
	},
	"another ID in the authenticator data": func(c *ceremony, _ *rand.Rand) bool {
		c.id = []byte("another credential")
		return true
	},
	"AAGUID": func(c *ceremony, _ *rand.Rand) bool {
		c.aaguid = bytes.Repeat([]byte{7}, 16)
		return true
	},
	"format": func(c *ceremony, r *rand.Rand) bool {
		c.object["fmt"] = pick(r, "", "None", "packed", "fido-u2f", "tpm", "apple", "unknown")
		return true
	},
	"format of another type": func(c *ceremony, _ *rand.Rand) bool {
		c.object["fmt"] = 1
		return true
	},
	"statement": func(c *ceremony, _ *rand.Rand) bool {
		c.object["attStmt"] = map[string]any{"alg": -7, "sig": []byte{1, 2, 3}}
		return true
	},
	"statement of another type": func(c *ceremony, r *rand.Rand) bool {
		c.object["attStmt"] = []any{nil, []any{}, "", 0}[r.IntN(4)]
		return true
	},
	"no statement": func(c *ceremony, _ *rand.Rand) bool {
		delete(c.object, "attStmt")
		return true
	},
	"other member of the object": func(c *ceremony, _ *rand.Rand) bool {
		c.object["epAtt"] = true
		return true
	},
	"object longer": func(c *ceremony, _ *rand.Rand) bool {
		c.wrap = func(b []byte) []byte { return append(b, 0) }
		return true
	},
	"object cut": func(c *ceremony, r *rand.Rand) bool {
		c.wrap = func(b []byte) []byte { return b[:r.IntN(len(b))] }
		return true
	},
	"object bit": func(c *ceremony, r *rand.Rand) bool {
		c.wrap = flipped(r)
		return true
	},
	"object with a tag": func(c *ceremony, _ *rand.Rand) bool {
		c.wrap = func(b []byte) []byte { return slices.Concat([]byte{0xd9, 0xd9, 0xf7}, b) }
		return true
	},
}

// texts are mutations of the client data as text.
var texts = map[string]func(b []byte) []byte{
	"byte order mark": func(b []byte) []byte { return slices.Concat([]byte("\ufeff"), b) },
	"white space": func(b []byte) []byte {
		return slices.Concat([]byte(" \n"), b, []byte("\n"))
	},
	"text after it":  func(b []byte) []byte { return append(b, []byte("{}")...) },
	"no object":      func([]byte) []byte { return []byte(`"webauthn.get"`) },
	"null":           func([]byte) []byte { return []byte(`null`) },
	"two origins":    with(`"origin":"https://evil.org"`),
	"two types":      with(`"type":"webauthn.evil"`),
	"not UTF-8":      with("\"x\":\"\xff\""),
	"prototype":      with(`"__proto__":{"type":"webauthn.get"}`),
	"nested deeply":  with(`"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200)),
	"large number":   with(`"x":1e400`),
	"lone surrogate": with(`"x":"\ud800"`),
	"capital member": with(`"Origin":"https://evil.org"`),
	"capital members": func(b []byte) []byte {
		return bytes.Replace(b, []byte("origin"), []byte("Origin"), 1)
	},
	"escaped origin": func(b []byte) []byte {
		return bytes.Replace(b, []byte("www"), []byte(`\u0077ww`), 1)
	},
}

// with adds a member before the others.
func with(member string) func([]byte) []byte {
	return func(b []byte) []byte {
		return slices.Concat([]byte("{"+member+","), b[min(1, len(b)):])
	}
}

// point is an ECDSA signature (RFC 3279 section 2.2.3).
type point struct{ R, S *big.Int }

func onDER(change func(*ceremony, *point)) mutation {
	return func(c *ceremony, _ *rand.Rand) bool {
		if _, ok := c.key.signer.(*ecdsa.PrivateKey); !ok || c.create {
			return false
		}
		c.signature = func(b []byte) []byte {
			var v point
			if _, err := asn1.Unmarshal(b, &v); err != nil {
				return b
			}
			change(c, &v)
			out, err := asn1.Marshal(v)
			if err != nil {
				return b
			}
			return out
		}
		return true
	}
}

func onSignature(change func(*rand.Rand, []byte) []byte) mutation {
	return func(c *ceremony, r *rand.Rand) bool {
		c.signature = func(b []byte) []byte { return change(r, b) }
		return !c.create
	}
}

// flipped returns a copy with one bit changed.
func flipped(r *rand.Rand) func([]byte) []byte {
	return func(b []byte) []byte {
		b = bytes.Clone(b)
		if len(b) > 0 {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		return b
	}
}

func pick(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }
