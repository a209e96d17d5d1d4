// Package js has the JavaScript modules of the npm package "secondgate": a client of the JSON API,
// the ceremonies of passkeys, and the behaviour of a code field. The pages of mfahttp use them.
//
// An application without npm serves them itself:
//
//	mux.Handle("/js/", http.StripPrefix("/js/", http.FileServerFS(js.Files())))
//
// README.md beside this file describes the modules.
package js

import "embed"

//go:embed client.js codefield.js passkey.js
var files embed.FS

// Files returns the modules: client.js, codefield.js and passkey.js. They import nothing but each
// other, by relative URLs.
func Files() embed.FS { return files }
