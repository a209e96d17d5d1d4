package record

// UnlockProofs are correct responses of a disabled kind.
type UnlockProofs struct {
	Count int   `cbor:"0,keyasint"`
	Last  int64 `cbor:"1,keyasint"`
}
