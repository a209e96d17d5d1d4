package record

// Recovery is a recovery link, or the recovery that one began.
type Recovery struct {
	ID      [16]byte `cbor:"0,keyasint"`
	Expires int64    `cbor:"1,keyasint"`
}
