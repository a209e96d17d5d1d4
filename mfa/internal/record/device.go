package record

// device is one remembered device. Its token holds the ID and a secret, of which the hash is
// kept here; each use makes a new secret.
type Device struct {
	ID      [8]byte `cbor:"0,keyasint"`
	Name    string  `cbor:"1,keyasint,omitempty"`
	Secret  []byte  `cbor:"2,keyasint"`
	Before  []byte  `cbor:"3,keyasint,omitempty"` // the hash before the last rotation
	Rotated int64   `cbor:"4,keyasint,omitempty"`
	Created int64   `cbor:"5,keyasint"`
	Used    int64   `cbor:"6,keyasint,omitempty"`
	Expires int64   `cbor:"7,keyasint"`
}
