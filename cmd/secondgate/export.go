package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
)

// personalDataFormat distinguishes the file from what moves users between systems.
const personalDataFormat = "secondgate personal data 1"

// exportPersonalData writes what is stored of a user but secrets.
func exportPersonalData(ctx context.Context, c *call) error {
	d, err := c.admin().PersonalData(ctx, c.subject())
	if errors.Is(err, mfa.ErrRecordMissing) {
		return c.noRecord()
	}
	if err != nil {
		return err
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

// noRecord says that the store does not know the user.
func (c *call) noRecord() error {
	return fmt.Errorf("the store has no record of the user %q in the tenant %q", c.args[0],
		c.tenant)
}
