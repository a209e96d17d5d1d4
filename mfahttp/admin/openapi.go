package admin

import (
	_ "embed"
	"slices"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the OpenAPI 3.1 document of the JSON API, as JSON with paths relative to
// Config.BasePath. The Handler serves it at api/openapi.json.
func OpenAPI() []byte { return slices.Clone(openAPI) }

func getOpenAPI(v *visit) error {
	v.w.Header().Set("Content-Type", "application/json")
	_, _ = v.w.Write(openAPI)
	return nil
}
