package record

// setup is the one recovery link of a user that is valid.
type Recovery struct {
	ID      [16]byte `cbor:"0,keyasint"`
	Expires int64    `cbor:"1,keyasint"`
}
