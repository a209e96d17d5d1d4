package customfactor

import (
	"embed"
	"io/fs"

	"github.com/secondgate/secondgate/mfahttp"
)

//go:embed pages
var pages embed.FS

// TokenPages describes how the hardware token looks on the pages of mfahttp.
func TokenPages() mfahttp.Kind {
	return mfahttp.Kind{
		Kind:     "token",
		Files:    files("pages/token"),
		Fields:   []mfahttp.Field{{Name: "serial", MaxLength: maxSerial}},
		Response: mfahttp.Field{InputMode: "numeric"},
	}
}

// ApprovalPages describes how an approval on another device looks: a factor of the kind "approval"
// that is Polled, and whose Prompt.Data has the member "number" that the user types on the device.
func ApprovalPages() mfahttp.Kind {
	return mfahttp.Kind{Kind: "approval", Files: files("pages/approval")}
}

func files(dir string) fs.FS {
	f, err := fs.Sub(pages, dir)
	if err != nil {
		panic(err) // the name is a constant
	}
	return f
}
