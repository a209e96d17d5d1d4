package main

import (
	"context"
	"encoding/json"
	"flag"
	"time"

	"github.com/secondgate/secondgate/mfa/report"
)

// personalDataFormat distinguishes the file from what moves users between systems.
const personalDataFormat = "secondgate personal data 1"

func exportFlags(f *flag.FlagSet, c *call) {
	f.StringVar(&c.leaving.rpID, "rp-id", "",
		"domain of the passkeys, as passkey.Config.RPID has it; without it they have no record "+
			"that other applications import")
}

// exportPersonalData writes what is stored of a user but secrets.
func exportPersonalData(ctx context.Context, c *call) error {
	d, err := c.admin().PersonalData(ctx, c.subject())
	if err != nil {
		return err
	}
	if c.leaving.rpID == "" {
		withoutDomain(d.Factors)
	}
	e := json.NewEncoder(c.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Format   string    `json:"format"`
		Exported time.Time `json:"exported"`
		*report.PersonalData
	}{personalDataFormat, time.Now().UTC().Truncate(time.Second), d})
}

// withoutDomain takes from passkeys what has their domain in it, which this program does not know.
func withoutDomain(factors []report.PersonalFactor) {
	for i := range factors {
		f := &factors[i]
		var data map[string]json.RawMessage
		if f.Kind != passkeyKind || json.Unmarshal(f.Data, &data) != nil {
			continue
		}
		delete(data, "rpId")
		f.Data, _ = json.Marshal(data) // what was decoded is encoded
		f.Export = ""
	}
}
