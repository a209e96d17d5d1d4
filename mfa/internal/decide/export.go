package decide

import "github.com/secondgate/secondgate/mfa/internal/record"

// This file decides which factors an export for another installation has.

// Export is what becomes of one factor in an export.
type Export uint8

const (
	// ExportMoves says that the export has the factor.
	ExportMoves Export = iota
	// ExportImplied says that the application vouches for the address. It does so in the other
	// installation, too, and there an import would make a factor that the user enrolled of it.
	ExportImplied
	// ExportHeld says that the factor is on hold after a recovery. An import knows no hold, and
	// would let the factor change those that were there before.
	ExportHeld
)

// Export decides about a factor of the record. The holds that have expired have been ended.
func (v View) Export(in *record.Instance) Export {
	switch {
	case in.Implicit:
		return ExportImplied
	case v.Record.Held(in.ID):
		return ExportHeld
	}
	return ExportMoves
}
